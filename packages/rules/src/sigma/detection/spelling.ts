import type { YamlText } from '../../language/file/yaml.ts';
import type { Variant } from '../sources/taxonomy.ts';
import type { FieldKey } from './modifiers.ts';

/** Directories that are links on every current Linux, with their targets. */
const LINKS = [
  ['/var/run/', '/run/'],
  ['/bin/', '/usr/bin/'],
  ['/sbin/', '/usr/sbin/'],
  ['/lib/', '/usr/lib/'],
  ['/lib64/', '/usr/lib64/'],
] as const;

/**
 * Returns the spellings of a rule's value in a field of the catalogue: the value itself, the catalogue's word for it,
 * or also the target of a linked path.
 */
export function respelled(
  value: YamlText,
  key: FieldKey,
  { words, links }: Pick<Variant, 'words' | 'links'>,
): YamlText[] {
  const word = value.text.toLowerCase();
  if (words !== undefined && key.position === 'whole' && Object.hasOwn(words, word))
    return [{ ...value, text: words[word]! }];
  const fromStart = key.comparison === 'text' && (key.position === 'whole' || key.position === 'startswith');
  const link = links === true && fromStart ? LINKS.find(([from]) => value.text.startsWith(from)) : undefined;
  return link === undefined ? [value] : [value, { ...value, text: link[1] + value.text.slice(link[0].length) }];
}
