"""The table of contents of the layer: what is run or rewritten before fakesnow sees it."""

from __future__ import annotations

from local_snowflake.account import AccountObject, GrantOrRevoke, UseRoleOrWarehouse
from local_snowflake.alter import (
    AlterRelation,
    CommentOn,
    DropRelation,
    TruncateTable,
    Undrop,
)
from local_snowflake.column_names import name_columns
from local_snowflake.context_functions import answer_context_functions
from local_snowflake.copy_into import CopyInto
from local_snowflake.databases import CreateDatabase, DropDatabase, UseDatabase
from local_snowflake.describe import DescribeRelation
from local_snowflake.identifiers import quote_identifiers
from local_snowflake.infer_schema import InferSchema
from local_snowflake.information_schema import use_information_schema
from local_snowflake.layer import Layer
from local_snowflake.merge import Merge
from local_snowflake.named_formats import CreateFileFormat, DropFileFormat
from local_snowflake.relations import CreateRelation
from local_snowflake.result_scan import PlainResultScan
from local_snowflake.session_parameters import AlterSession
from local_snowflake.show import ShowObjects
from local_snowflake.stages import CreateStage, DropStage
from local_snowflake.staged_files import Get, ListFiles, Put, RemoveFiles
from local_snowflake.temporary import use_temporary_objects
from local_snowflake.transactions import TransactionControl
from local_snowflake.unsupported import UnsupportedObject

LAYER = Layer(
    handlers=(
        TransactionControl(),
        UnsupportedObject(),
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
        name_columns,
        answer_context_functions,
        use_information_schema,
        use_temporary_objects,
    ),
    after=(quote_identifiers,),
)
