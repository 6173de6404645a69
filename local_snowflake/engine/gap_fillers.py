"""The table of contents of the layer: what is run or rewritten before fakesnow sees it."""

from __future__ import annotations

from local_snowflake.dialect.aggregates import mark_aggregates, uncast_aggregates
from local_snowflake.dialect.binary import read_hexadecimal
from local_snowflake.dialect.column_names import name_columns
from local_snowflake.dialect.dates import keep_dates
from local_snowflake.dialect.formats import apply_formats, convert_from_utc, fold_formats
from local_snowflake.dialect.identifiers import keep_keys, quote_identifiers
from local_snowflake.dialect.json_functions import read_text_in_variants
from local_snowflake.dialect.merge import Merge
from local_snowflake.dialect.text_functions import keep_trim_and_try
from local_snowflake.dialect.unsupported import UnsupportedObject, refuse_time_travel
from local_snowflake.dialect.values_columns import name_values_columns
from local_snowflake.engine.layer import Layer
from local_snowflake.engine.transactions import TransactionControl
from local_snowflake.inspection.context_functions import answer_context_functions
from local_snowflake.inspection.describe import DescribeRelation
from local_snowflake.inspection.information_schema import use_information_schema
from local_snowflake.inspection.result_scan import PlainResultScan, use_earlier_results
from local_snowflake.inspection.show import ShowObjects
from local_snowflake.objects.account import AccountObject, GrantOrRevoke, UseRoleOrWarehouse
from local_snowflake.objects.alter import AlterRelation
from local_snowflake.objects.databases import CreateDatabase, DropDatabase, UseDatabase
from local_snowflake.objects.drop import CommentOn, DropRelation, TruncateTable, Undrop
from local_snowflake.objects.schemas import CreateSchema, DropSchema, UsePlain
from local_snowflake.objects.scoped import CreateScoped
from local_snowflake.objects.session_parameters import AlterSession
from local_snowflake.objects.tables import CreateRelation
from local_snowflake.objects.temporary import use_temporary_objects
from local_snowflake.routines.calls import CallProcedure
from local_snowflake.routines.ddl import (
    CommentOnRoutine,
    CreateRoutine,
    DescribeRoutine,
    DropRoutine,
    UnsupportedRoutine,
)
from local_snowflake.routines.functions import call_python_functions, mark_python_functions
from local_snowflake.stages.copy.load import CopyInto
from local_snowflake.stages.files import Get, ListFiles, Put, RemoveFiles
from local_snowflake.stages.infer_schema import InferSchema
from local_snowflake.stages.named_formats import CreateFileFormat, DropFileFormat
from local_snowflake.stages.staged_select import SelectFromStage
from local_snowflake.stages.stages import CreateStage, DropStage

LAYER = Layer(
    handlers=(
        TransactionControl(),
        CreateScoped(),
        UnsupportedObject(),
        CreateRoutine(),
        DropRoutine(),
        DescribeRoutine(),
        CommentOnRoutine(),
        UnsupportedRoutine(),
        CallProcedure(),
        CreateDatabase(),
        DropDatabase(),
        UseDatabase(),
        PlainResultScan(),
        Put(),
        Get(),
        ListFiles(),
        RemoveFiles(),
        CopyInto(),
        CreateStage(),
        DropStage(),
        CreateFileFormat(),
        DropFileFormat(),
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
    before=(
        refuse_time_travel,
        name_columns,
        mark_python_functions,
        name_values_columns,
        keep_keys,
        read_hexadecimal,
        keep_trim_and_try,
        fold_formats,
        apply_formats,
        convert_from_utc,
        mark_aggregates,
        answer_context_functions,
        use_earlier_results,
        use_information_schema,
        use_temporary_objects,
    ),
    after=(
        uncast_aggregates,
        keep_dates,
        read_text_in_variants,
        quote_identifiers,
        call_python_functions,
    ),
)
