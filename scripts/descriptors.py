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


def add(descriptor):
    """Adds a file after everything it imports, the order that code generators expect."""
    if descriptor.name in files:
        return
    for dependency in descriptor.dependencies:
        add(dependency)
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor.CopyToProto(proto)
    files[descriptor.name] = proto


for name in wanted:
    importlib.import_module(name.removesuffix(".proto").replace("/", ".").replace("-", "_") + "_pb2")
    add(pool.FindFileByName(name))

descriptor_set = descriptor_pb2.FileDescriptorSet(file=files.values())
with open(output, "wb") as out:
    out.write(descriptor_set.SerializeToString())
