"""The table of contents of the layer over fakesnow: all gap-fillers, in their order."""

from __future__ import annotations

from local_snowflake.dialect.column_names import name_result_columns, name_values_columns
from local_snowflake.dialect.copy_grants import read_copy_grants
from local_snowflake.dialect.functions.macros import create_function_macros
from local_snowflake.dialect.functions.refused import refuse_calls
from local_snowflake.dialect.functions.rewrites.aggregates import CAST_AGGREGATES
from local_snowflake.dialect.functions.rewritten import REWRITTEN
from local_snowflake.dialect.functions.translated import translate_functions
from local_snowflake.dialect.identifiers import inline_identifiers, keep_keys, quote_identifiers
from local_snowflake.dialect.merge import Merge
from local_snowflake.dialect.refused_objects import RefusedObject
from local_snowflake.engine.layer import Layer
from local_snowflake.engine.session import Session
from local_snowflake.engine.transaction_control import TransactionControl
from local_snowflake.inspection.context_functions import answer_context_functions
from local_snowflake.inspection.describe import DescribeRelation
from local_snowflake.inspection.information_schema import (
    create_view_macros,
    use_information_schema,
)
from local_snowflake.inspection.result_scan import PlainResultScan, use_earlier_results
from local_snowflake.inspection.show import ShowObjects
from local_snowflake.inspection.show_queries import create_show_macros
from local_snowflake.objects.account import (
    AccountObject,
    GrantOrRevoke,
    UseRoleOrWarehouse,
    create_account_tables,
)
from local_snowflake.objects.alter import AlterRelation
from local_snowflake.objects.databases import (
    CreateDatabase,
    CreateSchema,
    DropDatabase,
    DropSchema,
    UseDatabase,
    UsePlain,
    UseSchema,
)
from local_snowflake.objects.drop import CommentOn, DropRelation, TruncateTable, Undrop
from local_snowflake.objects.relation_times import prepare_relation_times
from local_snowflake.objects.sequences import CreateSequence
from local_snowflake.objects.session_parameters import AlterSession
from local_snowflake.objects.tables import CreateRelation
from local_snowflake.objects.temporary import CreateScoped, use_temporary_objects
from local_snowflake.routines.calls import CallProcedure
from local_snowflake.routines.catalog import create_routine_table
from local_snowflake.routines.ddl import (
    CommentOnRoutine,
    CreateRoutine,
    DescribeRoutine,
    DropRoutine,
    UnsupportedRoutine,
)
from local_snowflake.routines.functions import call_python_functions, mark_python_functions
from local_snowflake.routines.large_batches import in_large_batches
from local_snowflake.stages.copy.history import prepare_load_history
from local_snowflake.stages.copy.load import CopyInto
from local_snowflake.stages.files import Get, ListFiles, Put, RemoveFiles
from local_snowflake.stages.infer_schema import InferSchema
from local_snowflake.stages.named_formats import FILE_FORMAT, CreateFileFormat
from local_snowflake.stages.named_objects import DropNamed
from local_snowflake.stages.query import SelectFromStage
from local_snowflake.stages.stages import STAGE, CreateStage, open_stages

LAYER: Layer[Session] = Layer(
    handlers=(
        TransactionControl(),
        CreateScoped(),
        RefusedObject(),
        CreateRoutine(),
        DropRoutine(),
        DescribeRoutine(),
        CommentOnRoutine(),
        UnsupportedRoutine(),
        CallProcedure(),
        CreateDatabase(),
        DropDatabase(),
        CreateSequence(),
        UseDatabase(),
        UseSchema(),
        PlainResultScan(),
        Put(),
        Get(),
        ListFiles(),
        RemoveFiles(),
        CopyInto(),
        CreateStage(),
        DropNamed(STAGE),
        CreateFileFormat(),
        DropNamed(FILE_FORMAT),
        InferSchema(),
        SelectFromStage(),
        CreateSchema(),
        DropSchema(),
        UsePlain(),
        CreateRelation(),
        AlterRelation(),
        DropRelation(),
        TruncateTable(),
        CommentOn(),
        Undrop(),
        DescribeRelation(),
        Merge(),
        AlterSession(),
        AccountObject(),
        GrantOrRevoke(),
        UseRoleOrWarehouse(),
        ShowObjects(),
    ),
    prepare=(inline_identifiers, read_copy_grants),
    before=(
        refuse_calls,
        name_result_columns,
        mark_python_functions,
        name_values_columns,
        keep_keys,
        *(row.before for row in REWRITTEN if row.before),
        translate_functions,
        answer_context_functions,
        use_earlier_results,
        use_information_schema,
        use_temporary_objects,
    ),
    after=(
        *(row.after for row in REWRITTEN if row.after),
        quote_identifiers,
        call_python_functions,
    ),
    before_execute=(in_large_batches,),
    retry_after=(CAST_AGGREGATES,),
    on_start=(
        create_view_macros,
        create_function_macros,
        create_account_tables,
        create_show_macros,
        create_routine_table,
        open_stages,
    ),
    on_open_database=(
        prepare_load_history,
        prepare_relation_times,
    ),
)
