"""Writes the protobuf descriptors of the named .proto files, and of all they import, as one FileDescriptorSet.

Usage: descriptors.py XDS_PROTOS_FOLDER OUTPUT_FILE WHOLE_API_FILE PROTO [PROTO ...]
The second output has the whole API of Envoy. The folder holds the PyPI package xds-protos, which carries the whole Envoy API as compiled descriptors.
"""

import importlib
import sys
from pathlib import Path

folder, output, whole_output, *wanted = sys.argv[1:]
sys.path.insert(0, folder)

from google.protobuf import descriptor_pb2, descriptor_pool  # noqa: E402 (the folder must be on the path first)

pool = descriptor_pool.Default()

# What Envoy 1.40 has and the package does not: the old field still works, with a warning in the log of every proxy.
# The numbers are those of the descriptors inside of the Envoy binary.
NEWER = {
    "envoy/extensions/access_loggers/open_telemetry/v3/logs_service.proto": {
        "message": "OpenTelemetryAccessLogConfig",
        "imports": ["envoy/config/core/v3/grpc_service.proto", "envoy/config/core/v3/http_service.proto"],
        "fields": [
            ("http_service", 8, ".envoy.config.core.v3.HttpService"),
            ("grpc_service", 9, ".envoy.config.core.v3.GrpcService"),
            ("log_name", 10, None),
        ],
    },
}


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


def add_newer(proto, newer, files):
    """Adds the fields that the package lacks, unless a newer package has them."""
    message = next(each for each in proto.message_type if each.name == newer["message"])
    known = {field.name for field in message.field}
    for name in newer["imports"]:
        importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
        add(pool.FindFileByName(name), files)
        if name not in proto.dependency:
            proto.dependency.append(name)
    for name, number, type_name in newer["fields"]:
        if name not in known:
            kind = descriptor_pb2.FieldDescriptorProto
            field = message.field.add(name=name, number=number, label=kind.LABEL_OPTIONAL)
            field.type = kind.TYPE_STRING if type_name is None else kind.TYPE_MESSAGE
            field.type_name = type_name or ""


def add(descriptor, files):
    """Adds a file after everything it imports, the order that code generators expect."""
    if descriptor.name in files:
        return
    for dependency in descriptor.dependencies:
        add(dependency, files)
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor.CopyToProto(proto)
    if descriptor.name in NEWER:
        add_newer(proto, NEWER[descriptor.name], files)
    name_fields(proto.message_type)
    files[descriptor.name] = proto


def write(names, path):
    """Writes the files of these names and all that they import."""
    files = {}
    for name in names:
        try:
            importlib.import_module(name.removesuffix(".proto").replace("/", ".").replace("-", "_") + "_pb2")
        except ModuleNotFoundError:
            sys.exit(f'Cannot read "{name}": Envoy\'s API has no such file; see packages/envoy/protos.txt')
        add(pool.FindFileByName(name), files)
    descriptor_set = descriptor_pb2.FileDescriptorSet(file=files.values())
    Path(path).write_bytes(descriptor_set.SerializeToString())


modules = sorted(Path(folder, "envoy").rglob("*_pb2.py"))
write(wanted, output)
write([str(path.relative_to(folder)).removesuffix("_pb2.py") + ".proto" for path in modules], whole_output)
