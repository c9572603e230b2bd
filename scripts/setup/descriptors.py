"""Writes the protobuf descriptors of the named .proto files, and of all they import, as one FileDescriptorSet.

Usage: descriptors.py XDS_PROTOS_FOLDER OUTPUT_FILE PROTO [PROTO ...]
The folder holds the PyPI package xds-protos, which carries the whole Envoy API as compiled descriptors.
"""

import importlib
import sys

folder, output, *wanted = sys.argv[1:]
sys.path.insert(0, folder)

from google.protobuf import descriptor_pb2, descriptor_pool  # noqa: E402 (the folder must be on the path first)

pool = descriptor_pool.Default()
files = {}


def json_name(name):
    """The lower camel case that protoc states for every field, and that the pool does not keep."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def name_fields(messages):
    """States the JSON names as protoc would; code generators print them."""
    for message in messages:
        for field in message.field:
            field.json_name = field.json_name or json_name(field.name)
        name_fields(message.nested_type)


def add(descriptor):
    """Adds a file after everything it imports, the order that code generators expect."""
    if descriptor.name in files:
        return
    for dependency in descriptor.dependencies:
        add(dependency)
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor.CopyToProto(proto)
    name_fields(proto.message_type)
    files[descriptor.name] = proto


for name in wanted:
    try:
        importlib.import_module(name.removesuffix(".proto").replace("/", ".").replace("-", "_") + "_pb2")
    except ModuleNotFoundError:
        sys.exit(f'Cannot read "{name}": Envoy\'s API has no such file; see packages/envoy/protos.txt')
    add(pool.FindFileByName(name))

descriptor_set = descriptor_pb2.FileDescriptorSet(file=files.values())
with open(output, "wb") as out:
    out.write(descriptor_set.SerializeToString())
