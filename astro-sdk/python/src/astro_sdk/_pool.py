"""The message classes, made from the contract's descriptors when the package is imported.

They live in a pool of their own, so that no other package's descriptors get in the way.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from .gen.contract import FILES

POOL = descriptor_pool.DescriptorPool()


def add(file: descriptor_pb2.FileDescriptorProto) -> None:
    """Adds a file; those that it imports come first."""
    POOL.AddSerializedFile(file.SerializeToString())


def message_class(full_name: str) -> Any:
    """The class of a message: ``astro.v1.Item``."""
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(full_name))


for _file in descriptor_pb2.FileDescriptorSet.FromString(FILES).file:
    add(_file)
