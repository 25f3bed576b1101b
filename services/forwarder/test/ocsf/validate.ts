import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Attribute {
  readonly type: string;
  readonly requirement: 'required' | 'recommended' | 'optional';
  /** The attribute exists only if `metadata.profiles` lists it. */
  readonly profile?: string;
  readonly array?: boolean;
  readonly enum?: readonly (number | string)[];
  /** Attribute with the text of this number */
  readonly sibling?: string;
  readonly deprecated?: boolean;
}

export interface Shape {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly constraints?: { readonly at_least_one?: readonly string[] };
}

interface Schema {
  readonly types: Readonly<
    Record<
      string,
      {
        readonly base: string;
        readonly regex?: string;
        readonly maxLength?: number;
        readonly range?: readonly [number, number];
      }
    >
  >;
  readonly classes: Readonly<Record<string, Shape>>;
  readonly objects: Readonly<Record<string, Shape>>;
}

export const schema: Schema = JSON.parse(readFileSync(join(import.meta.dirname, 'schema.json'), 'utf8'));
const OTHER = 99;

type Value = Readonly<Record<string, unknown>>;

/** Returns how an event differs from its class in the published schema, one line for each difference. */
export function ocsfProblems(event: Value): string[] {
  const shape = schema.classes[String(event['class_uid'])];
  if (shape === undefined) return [`class_uid: ${event['class_uid']} is not in the schema of the tests`];
  const { profiles = [] } = (event['metadata'] ?? {}) as { readonly profiles?: readonly string[] };
  const problems = problemsOf(event, shape, '', new Set(profiles));
  const {
    class_uid: uid,
    category_uid: category,
    activity_id: activity,
    type_uid: type,
  } = event as Record<string, number>;
  if (type !== uid! * 100 + activity!) problems.push(`type_uid: ${type} is not that of class and activity`);
  if (category !== Math.floor(uid! / 1000)) problems.push(`category_uid: ${category} is not that of the class`);
  return problems;
}

function problemsOf(
  value: Value,
  { attributes, constraints }: Shape,
  path: string,
  profiles: ReadonlySet<string>,
): string[] {
  const problems: string[] = [];
  const applies = ({ profile }: Attribute): boolean => profile === undefined || profiles.has(profile);
  for (const [name, attribute] of Object.entries(attributes))
    if (attribute.requirement === 'required' && applies(attribute) && !(name in value))
      problems.push(`${path}${name}: is missing`);
  const oneOf = constraints?.at_least_one;
  if (oneOf !== undefined && !oneOf.some((name) => name in value))
    problems.push(`${path}: has none of ${oneOf.join(', ')}`);
  for (const [name, item] of Object.entries(value)) {
    const attribute = attributes[name];
    if (attribute === undefined || !applies(attribute)) problems.push(`${path}${name}: is no attribute`);
    else problems.push(...problemsOfAttribute(item, attribute, `${path}${name}`, profiles));
    const { sibling } = attribute ?? {};
    if (item === OTHER && sibling !== undefined && !(sibling in value))
      problems.push(`${path}${sibling}: is missing for 99`);
  }
  return problems;
}

function problemsOfAttribute(
  value: unknown,
  attribute: Attribute,
  path: string,
  profiles: ReadonlySet<string>,
): string[] {
  if (attribute.deprecated === true) return [`${path}: is deprecated`];
  if (attribute.array !== true) return problemsOfOne(value, attribute, path, profiles);
  if (!Array.isArray(value)) return [`${path}: is no list`];
  return value.flatMap((item, i) => problemsOfOne(item, attribute, `${path}[${i}]`, profiles));
}

function problemsOfOne(value: unknown, attribute: Attribute, path: string, profiles: ReadonlySet<string>): string[] {
  const shape = schema.objects[attribute.type];
  if (shape !== undefined) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return [`${path}: is no object`];
    return problemsOf(value as Value, shape, `${path}.`, profiles);
  }
  const type = schema.types[attribute.type];
  if (type === undefined) return [`${path}: the type ${attribute.type} is not in the schema of the tests`];
  if (!isOfType(value, type.base)) return [`${path}: ${JSON.stringify(value)} is no ${attribute.type}`];
  const problems: string[] = [];
  if (attribute.enum !== undefined && !attribute.enum.includes(value as number | string))
    problems.push(`${path}: ${value} is not in its list`);
  if (type.regex !== undefined && !new RegExp(type.regex).test(String(value)))
    problems.push(`${path}: "${value}" has another form`);
  if (type.maxLength !== undefined && String(value).length > type.maxLength) problems.push(`${path}: is too long`);
  const [min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY] = type.range ?? [];
  if (typeof value === 'number' && (value < min || value > max)) problems.push(`${path}: ${value} is out of range`);
  return problems;
}

function isOfType(value: unknown, base: string): boolean {
  switch (base) {
    case 'string_t':
      return typeof value === 'string';
    case 'integer_t':
    case 'long_t':
      return Number.isSafeInteger(value);
    case 'boolean_t':
      return typeof value === 'boolean';
    default:
      return base === 'json_t';
  }
}
