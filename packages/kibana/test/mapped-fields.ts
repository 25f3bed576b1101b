import { templateLines } from '@ringfence/auditor';

/** Returns the types of the fields that the auditor's templates map, by `COMPONENT FIELD`. */
export function mappedFields(): Map<string, string> {
  const types = new Map<string, string>();
  type Properties = Readonly<Record<string, { type?: string; properties?: Properties }>>;
  const walk = (mapping: string, properties: Properties, path: string): void => {
    for (const [name, { type = '', properties: inner }] of Object.entries(properties)) {
      if (inner === undefined) types.set(`${mapping} ${path}${name}`, type);
      else walk(mapping, inner, `${path}${name}.`);
    }
  };
  for (const line of templateLines().trim().split('\n')) {
    const { put, body } = JSON.parse(line) as {
      put: string;
      body: { template?: { mappings?: { properties: Properties } } };
    };
    const name = /_component_template\/ringfence-(\w+)$/.exec(put)?.[1];
    const properties = body.template?.mappings?.properties;
    if (name !== undefined && properties !== undefined) walk(name, properties, '');
  }
  return types;
}
