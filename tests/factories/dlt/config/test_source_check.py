"""Mistakes in a REST API source: each at its place, with what is allowed and the nearest."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.factories.dlt.config.source_problems import REFUSED, WRITTEN, problems_of, secret

PAGINATORS = (
    "json_link, json_response, header_link, header_cursor, auto, single_page, cursor, offset, "
    "page_number"
)
ENDPOINT_KEYS = (
    "path, method, params, json, data, paginator, data_selector, response_actions, incremental, "
    "auth, headers"
)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("{base_urll: x}", [
            "3:11: the key 'base_url' is missing",
            ("3:20: unknown key 'base_urll'; did you mean 'base_url'? "
            "(allowed: base_url, headers, auth, paginator)"),
        ]),
        ("{base_url: api.example.com}", [
            "3:30: base_url: 'api.example.com' is not a URL such as https://example.com"
        ]),
        ("{base_url: 5}", ["3:30: base_url: must be text, not 5: put it in quotes"]),
        ("[]", ["3:19: client: must be a mapping, not []"]),
        ("{base_url: '${U}', session: x}", [f"3:38: 'session' {REFUSED}"]),
        ("{base_url: '${U}', headers: {X-A: 1}}", [
            "3:53: X-A: must be text, not 1: put it in quotes"
        ]),
        ("{base_url: '${U}', headers: {X-API-Key: abc}}", [
            ("3:59: X-API-Key: a secret must come from the environment: write "
            '"${NAME}", such as "${X_API_KEY}"')
        ]),
        ("{base_url: 'https://me:hunter2@a.example'}", [
            ("3:30: base_url: the password in a URL must come from the environment: write "
            '"${NAME}" in its place, or for the whole URL')
        ]),
        ("{base_url: '${U}', paginator: curser}", [
            ("3:49: paginator: 'curser' is not one of the allowed values; "
            f"did you mean 'cursor'? (allowed: {PAGINATORS})")
        ]),
        ("{base_url: '${U}', paginator: {type: ofset}}", [
            ("3:56: type: 'ofset' is not one of the allowed values; "
            f"did you mean 'offset'? (allowed: {PAGINATORS})")
        ]),
        ("{base_url: '${U}', paginator: {limit: 5}}", [
            f"3:38: paginator: the key 'type' is missing (allowed: {PAGINATORS})"
        ]),
        ("{base_url: '${U}', paginator: [offset]}", [
            '3:49: paginator: must be text or a mapping, not ["offset"]'
        ]),
        ("{base_url: '${U}', paginator: offset}", [
            "3:49: paginator: 'offset' needs an argument: {type: offset, limit: …}"
        ]),
        ("{base_url: '${U}', paginator: {type: offset}}", ["3:38: the key 'limit' is missing"]),
        ("{base_url: '${U}', paginator: {type: cursor, cursor_pth: a}}", [
            ("3:64: unknown key 'cursor_pth'; did you mean 'cursor_path'? (allowed: type, "
            "cursor_path, cursor_param, cursor_body_path, stop_after_empty_page, has_more_path)")
        ]),
        # dlt's own types would take this: the keys of any paginator.
        ("{base_url: '${U}', paginator: {type: json_link, cursor_path: a}}", [
            "3:67: unknown key 'cursor_path' (allowed: type, next_url_path)"
        ]),
        ("{base_url: '${U}', paginator: {type: single_page, limit: 1}}", [
            "3:69: unknown key 'limit' (allowed: type)"
        ]),
        ("{base_url: '${U}', paginator: {type: offset, limit: '${N}'}}", [
            f"3:71: limit: must be a whole number, {WRITTEN}"
        ]),
        (("{base_url: '${U}', paginator: {type: offset, limit: 1, limit_param: a, "
         "limit_body_path: b}}"), [
            "3:87: paginator: Either 'limit_param' or 'limit_body_path' must be provided, not both"
        ]),
        ("{base_url: '${U}', paginator: {type: json_link, next_url_path: '$.a['}}", [
            "3:82: next_url_path: '$.a[' is not a JSON path: Parse error near the end of string!"
        ]),
        ("{base_url: '${U}', auth: barer}", [
            ("3:44: auth: 'barer' is not one of the allowed values; did you mean 'bearer'? "
            "(allowed: bearer, api_key, http_basic, oauth2_client_credentials)")
        ]),
        ("{base_url: '${U}', auth: {type: http_basic, username: me}}", [
            "3:38: the key 'password' is missing"
        ]),
        ("{base_url: '${U}', auth: {}}", ["3:38: the key 'token' is missing"]),
        ("{base_url: '${U}', auth: {type: api_key, name: null, api_key: ''}}", [
            "3:66: name: must be text, not empty",
            "3:81: api_key: must not be empty",
        ]),
        ("{base_url: '${U}', auth: {type: api_key, api_kee: '${K}'}}", [
            "3:38: the key 'api_key' is missing",
            ("3:60: unknown key 'api_kee'; did you mean 'api_key'? "
            "(allowed: type, name, api_key, location)")
        ]),
        ("{base_url: '${U}', auth: {type: api_key, api_key: '${K}', location: cookie}}", [
            ("3:87: location: dlt declares 'cookie' and does not implement it "
            "(allowed: header, query, param)")
        ]),
        ("{base_url: '${U}', auth: {token: s3cret}}", [f"3:52: {secret('token')}"]),
        ("{base_url: '${U}', auth: {type: api_key, api_key: s3cret}}", [
            f"3:69: {secret('api_key')}"
        ]),
        ("{base_url: '${U}', auth: {type: http_basic, username: me, password: s3cret}}", [
            f"3:87: {secret('password')}"
        ]),
        ("{base_url: '${U}', auth: {type: oauth2_client_credentials, client_secret: s3cret}}", [
            "3:38: the key 'access_token_url' is missing",
            "3:38: the key 'client_id' is missing",
            f"3:93: {secret('client_secret')}"
        ]),
    ],
)  # fmt: skip
def test_the_client(tmp_path: Path, client: str, expected: list[str]) -> None:
    text = f"source:\n  rest_api:\n          client: {client}\n          resources: [posts]\n"
    assert problems_of(text, tmp_path) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("{endpoint: posts}", ["5:7: the key 'name' is missing"]),
        ("5", ["5:7: resources[1]: must be text or a mapping, not 5"]),
        ("posts", ["5:7: the resource 'posts' is defined twice"]),
        ("{name: posts}", ["5:14: the resource 'posts' is defined twice"]),
        ("{name: '${N}'}", [f"5:14: name: must be {WRITTEN}"]),
        ("{name: a, write_disposition: mrege}", [
            ("5:36: write_disposition: 'mrege' is not one of the allowed values; did you mean "
            "'merge'? (allowed: skip, append, replace, merge)")
        ]),
        ("{name: a, write_disposition: {disposition: merge, strategy: upsrt}}", [
            ("5:67: strategy: 'upsrt' is not one of the allowed values; did you mean 'upsert'? "
            "(allowed: delete-insert, scd2, upsert, insert-only, cdc)")
        ]),
        ("{name: a, write_disposition: {strategy: scd2}}", [
            "5:17: the key 'disposition' is missing"
        ]),
        ("{name: a, primary_key: 5}", ["5:30: primary_key: must be text or a list, not 5"]),
        ("{name: a, columns: {b: {data_type: txt}}}", [
            ("5:42: data_type: 'txt' is not one of the allowed values; did you mean 'text'? "
            "(allowed: text, double, bool, timestamp, bigint, binary, json, decimal, wei, date, "
            "time)")
        ]),
        ("{name: a, schema_contract: {tabels: freeze}}", [
            ("5:35: unknown key 'tabels'; did you mean 'tables'? "
            "(allowed: tables, columns, data_type)")
        ]),
        ("{name: a, nested_hints: {b: {write_disposition: apend}}}", [
            ("5:55: write_disposition: 'apend' is not one of the allowed values; did you mean "
            "'append'? (allowed: skip, append, replace, merge)")
        ]),
        ("{name: a, selected: 'yes'}", ["5:27: selected: must be true or false, not 'yes'"]),
        ("{name: a, processing_steps: [{filter: x}]}", [f"5:17: 'processing_steps' {REFUSED}"]),
        ("{name: a, include_from_parent: [id]}", [
            ("5:39: include_from_parent[0]: Resource `a` has `include_from_parent` but is not "
            "dependent on another resource")
        ]),
        ("{name: a, endpoint: {pth: x}}", [
            f"5:28: unknown key 'pth'; did you mean 'path'? (allowed: {ENDPOINT_KEYS})"
        ]),
        ("{name: a, endpoint: {method: get}}", [
            ("5:36: method: 'get' is not one of the allowed values; did you mean 'GET'? "
            "(allowed: GET, POST)")
        ]),
        ("{name: a, endpoint: {params: {b: {c: 1}}}}", [
            "5:37: b: a mapping needs the key 'type' (allowed: resolve, incremental)"
        ]),
        ("{name: a, endpoint: {params: {b: {type: resolv}}}}", [
            ("5:47: type: 'resolv' is not one of the allowed values; did you mean 'resolve'? "
            "(allowed: resolve, incremental)")
        ]),
        ("{name: a, endpoint: {path: 'x/{b}', params: {b: {type: resolve, resource: posts}}}}", [
            "5:52: the key 'field' is missing"
        ]),
        (("{name: a, endpoint: {path: 'x/{b}', params: {b: {type: resolve, resource: psts, "
         "field: id}}}}"), [
            ("5:81: resource: there is no resource 'psts'; did you mean 'posts'? "
            "(allowed: posts, a)")
        ]),
        ("{name: a, endpoint: {params: {b: {type: resolve, resource: posts, field: id}}}}", [
            ("5:40: b: Resource `a` defines resolve params `['b']` that are not bound in path `a`. "
            "To reference parent resource in query params use syntax "
            "'resources.<parent_resource>.<field>'")
        ]),
        ("{name: a, endpoint: {params: {token: abc}}}", [f"5:44: {secret('token')}"]),
        ("{name: a, endpoint: {path: 'x/{b}'}}", [
            ("5:34: path: The path 'x/{b}' defined in resource 'a' requires a param named 'b', but "
            "it was not found in 'endpoint.params': {}")
        ]),
        ("{name: a, endpoint: 'x/{resources.post.id}'}", [
            "5:17: path: there is no resource 'post'; did you mean 'posts'? (allowed: posts, a)"
        ]),
        ("{name: a, endpoint: {path: 'x/{resource.posts.id}'}}", [
            ("5:34: path: {resource.posts.id} must begin with one of the allowed words; literal "
            "braces are doubled; did you mean 'resources'? (allowed: resources, incremental)")
        ]),
        ("{name: a, endpoint: {path: 'x/{resources.posts}'}}", [
            "5:34: path: {resources.posts} is not of the form {resources.NAME.FIELD}"
        ]),
        ("{name: a, endpoint: {json: {b: [{c: '{id}'}]}}}", [
            ("5:43: c: {id} must begin with one of the allowed words; literal braces are doubled "
            "(allowed: resources, incremental)")
        ]),
        ("{name: a, endpoint: {headers: {X-A: '{'}}}", [
            ("5:43: X-A: '{': Single '{' encountered in format string; a brace that is meant as "
            "such is doubled")
        ]),
        ("{name: a, endpoint: {params: {b: '{incremental.start_value}'}}}", [
            ("5:40: b: {incremental.start_value} needs `incremental` of the resource,"
             " in the file's `resources`")
        ]),
        (("{name: a, endpoint: {params: {b: '{incremental.strat_value}'}, "
         "incremental: {cursor_path: c}}}"), [
            ("5:40: b: {incremental.strat_value}: there is no such value; did you mean "
            "'start_value'? (allowed: start_value, end_value, initial_value, last_value)")
        ]),
        ("{name: a, endpoint: {incremental: {cursor: c}}}", [
            "5:28: the key 'cursor_path' is missing",
            ("5:42: unknown key 'cursor'; did you mean 'cursor_path'? (allowed: cursor_path, "
            "initial_value, last_value_func, primary_key, end_value, row_order, "
            "allow_external_schedulers, lag, on_cursor_value_missing, range_start, range_end, "
            "start_param and 1 more)"),
        ]),
        ("{name: a, endpoint: {incremental: {cursor_path: c, convert: f}}}", [
            f"5:58: 'convert' {REFUSED}"
        ]),
        ("{name: a, endpoint: {incremental: {cursor_path: 'c['}}}", [
            "5:55: cursor_path: Parse error near the end of string!"
        ]),
        (("{name: a, endpoint: {params: {b: {type: incremental, cursor_path: c, "
         "end_value: 1}}}}"), [
            ("5:87: end_value: Only `start_param` and `initial_value` are allowed in the "
            "configuration of param: `b`. To set `end_value` too use the incremental "
            "configuration at the resource level. See "
            "https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic"
            "#incremental-loading")
        ]),
        ("{name: a, endpoint: {response_actions: [{status_code: '404', action: ignor}]}}", [
            "5:61: status_code: must be a whole number, not '404'",
            ("5:76: action: 'ignor' is not one of the allowed values; did you mean 'ignore'? "
            "(allowed: ignore)"),
        ]),
        ("{name: a, endpoint: {data_selector: 'a[', auth: {token: abc}}}", [
            "5:43: data_selector: 'a[' is not a JSON path: Parse error near the end of string!",
            f"5:63: {secret('token')}",
        ]),
    ],
)  # fmt: skip
def test_a_resource(tmp_path: Path, resource: str, expected: list[str]) -> None:
    text = (
        "source:\n  rest_api:\n    client: {base_url: '${U}'}\n"
        f"    resources: [posts,\n      {resource}]\n"
    )
    assert problems_of(text, tmp_path) == expected


@pytest.mark.parametrize(
    ("rest_api", "expected"),
    [
        ("[]", ["2:13: rest_api: must be a mapping, not []"]),
        ("{}", ["2:3: the key 'client' is missing", "2:3: the key 'resources' is missing"]),
        ("{client: {base_url: '${U}'}, resourses: [a]}", [
            "2:3: the key 'resources' is missing",
            ("2:42: unknown key 'resourses'; did you mean 'resources'? "
            "(allowed: client, resources, resource_defaults)"),
        ]),
        ("{client: {base_url: '${U}'}, resources: []}", ["2:53: resources: must not be empty"]),
        ("{client: {base_url: '${U}'}, resources: a}", [
            "2:53: resources: must be a list, not 'a'"
        ]),
        (("{client: {base_url: '${U}'}, resource_defaults: {write_disposition: x, name: a, "
         "endpoint: {params: {c: '{a}'}}}, resources: [a]}"), [
            ("2:81: write_disposition: 'x' is not one of the allowed values "
            "(allowed: skip, append, replace, merge)"),
            ("2:84: unknown key 'name' (allowed: parent_table_name, "
            "write_disposition, primary_key, columns, schema_contract, table_format, file_format, "
            "merge_key, references, table_name, nested_hints, max_table_nesting and 4 more)"),
            ("2:116: c: {a} must begin with one of the allowed words; literal braces are doubled "
            "(allowed: resources, incremental)"),
        ]),
        # Only building tells: and what two resources inherit is said once.
        (("{client: {base_url: '${U}'}, resource_defaults: {include_from_parent: [id]}, "
         "resources: [a, b]}"), [
            ("2:84: include_from_parent[0]: Resource `a` has `include_from_parent` but is not "
            "dependent on another resource"),
        ]),
        (("{client: {base_url: '${U}'}, resources: [a, {name: b, endpoint: '{resources.c.id}'}, "
         "{name: c, endpoint: '{resources.b.id}'}]}"), [
            "2:57: resources depend on each other: b → c → b"
        ]),
    ],
)  # fmt: skip
def test_the_whole_source(tmp_path: Path, rest_api: str, expected: list[str]) -> None:
    assert problems_of(f"source:\n  rest_api: {rest_api}\n", tmp_path) == expected


def test_all_mistakes_of_a_file_are_reported_together(tmp_path: Path) -> None:
    text = textwrap.dedent("""\
        source:
          rest_api:
            client:
              base_url: "${WEATHER_API_URL}"
              auth: {type: bearer, token: s3cret}
              paginator: {type: cursor, cursor_pth: next}
            resources:
              - name: posts
                write_disposition: mrege
                endpoint: {path: "posts/{id}", methd: GET}
              - name: comments
                endpoint:
                  path: posts/{resources.post.id}
                  paginator: {type: page_number, page_param: a, page_body_path: b}
              - name: users
                endpoint: {path: "users/{id}"}
    """)
    places = [problem.split(": ")[0] for problem in problems_of(text, tmp_path)]
    assert places == ["5:35", "6:33", "9:28", "10:40", "13:17", "14:54", "16:26"]


def test_two_mistakes_that_only_dlt_knows_are_both_found(tmp_path: Path) -> None:
    text = textwrap.dedent("""\
        source:
          rest_api:
            client: {base_url: "${U}"}
            resources:
              - name: a
                include_from_parent: [x]
                endpoint: {path: "posts/{id}"}
    """)
    assert [problem.split(": ")[:2] for problem in problems_of(text, tmp_path)] == [
        ["6:31", "include_from_parent[0]"],
        ["7:26", "path"],
    ]
