/** What the API server of Kubernetes would refuse in a schema; `path` says where it stands. */
export function structuralProblems(schema: Readonly<Record<string, unknown>>, path: string): readonly string[] {
  const isFree =
    schema["x-kubernetes-preserve-unknown-fields"] === true || schema["x-kubernetes-int-or-string"] === true;
  const { properties, items, additionalProperties } = schema as Readonly<Record<string, object | undefined>>;
  return [
    ...(schema["type"] === undefined && !isFree ? [`${path}: has no type`] : []),
    ...(properties !== undefined && additionalProperties !== undefined ? [`${path}: is an object and a map`] : []),
    ...["anyOf", "oneOf", "$ref", "const", "$defs"].filter((key) => key in schema).map((key) => `${path}: has ${key}`),
    ...(schema["type"] === "array" && items === undefined ? [`${path}: a list of nothing`] : []),
    ...Object.entries(properties ?? {}).flatMap(([name, field]) =>
      structuralProblems(field as never, `${path}.${name}`),
    ),
    ...(items === undefined ? [] : structuralProblems(items as never, `${path}[]`)),
    ...(typeof additionalProperties === "object" ? structuralProblems(additionalProperties as never, `${path}{}`) : []),
  ];
}
