#!/bin/sh
# project.sh NAME FOLDER: copies the project from the current folder into FOLDER, beside the
# environment FOLDER/.venvs/NAME, and makes all that is made once: bytecode, and dbt's manifests.
set -eu

name=$1
folder=$(cd "$2" && pwd)
python="$folder/.venvs/$name/bin/python"

cp -R factories "$folder"
if [ "$name" != dagster ]; then # whose webserver and daemon read nothing of a location
  mkdir "$folder/code_locations"
  cp code_locations/__init__.py "$folder/code_locations"
  cp -R "code_locations/$name" "$folder/code_locations"
  for item in *; do
    case $item in
      code_locations | constraints | deploy | factories) ;;
      *) cp -R "$item" "$folder" ;;
    esac
  done
fi

# Every process of this environment can import the project, wherever it is started.
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$folder" >"$site/data_platform.pth"

cd "$folder"
find . -path ./.venvs -prune -o -name '*.py' -print | "$python" -m compileall -q -i - >/dev/null
if [ -x ".venvs/$name/bin/dbt" ]; then
  for project in */dbt_project.yml; do
    "$python" -m factories.dbt.prepare "${project%/dbt_project.yml}"
  done
fi
