"""The table of contents of the layer: what is run or rewritten before fakesnow sees it."""

from __future__ import annotations

from local_snowflake.account import AccountObject, GrantOrRevoke, UseRoleOrWarehouse
from local_snowflake.aggregates import mark_aggregates, uncast_aggregates
from local_snowflake.alter import AlterRelation
from local_snowflake.binary import read_hexadecimal
from local_snowflake.column_names import name_columns
from local_snowflake.context_functions import answer_context_functions
from local_snowflake.copy_into import CopyInto
from local_snowflake.databases import CreateDatabase, DropDatabase, UseDatabase
from local_snowflake.dates import keep_dates
from local_snowflake.describe import DescribeRelation
from local_snowflake.drop import CommentOn, DropRelation, TruncateTable, Undrop
from local_snowflake.functions import call_python_functions, mark_python_functions
from local_snowflake.identifiers import keep_keys, quote_identifiers
from local_snowflake.infer_schema import InferSchema
from local_snowflake.information_schema import use_information_schema
from local_snowflake.json_functions import read_text_in_variants
from local_snowflake.layer import Layer
from local_snowflake.merge import Merge
from local_snowflake.named_formats import CreateFileFormat, DropFileFormat
from local_snowflake.procedures import CallProcedure
from local_snowflake.relations import CreateRelation
from local_snowflake.result_scan import PlainResultScan, use_earlier_results
from local_snowflake.routines import (
    CommentOnRoutine,
    CreateRoutine,
    DescribeRoutine,
    DropRoutine,
    UnsupportedRoutine,
)
from local_snowflake.schemas import CreateSchema, DropSchema, UsePlain
from local_snowflake.scoped import CreateScoped
from local_snowflake.session_parameters import AlterSession
from local_snowflake.show import ShowObjects
from local_snowflake.staged_files import Get, ListFiles, Put, RemoveFiles
from local_snowflake.staged_select import SelectFromStage
from local_snowflake.stages import CreateStage, DropStage
from local_snowflake.temporary import use_temporary_objects
from local_snowflake.text_formats import apply_formats, convert_from_utc, fold_formats
from local_snowflake.text_functions import keep_trim_and_try
from local_snowflake.transactions import TransactionControl
from local_snowflake.unsupported import UnsupportedObject, refuse_time_travel
from local_snowflake.values_columns import name_values_columns

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
