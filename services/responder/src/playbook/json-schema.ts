import { z } from 'zod';
import { playbookKeys } from './playbook.ts';
import { playbookTestSchema } from './tests.ts';

/** Returns the JSON Schema of playbook files, or of their tests: one item or a list. */
export function playbookFileSchema(tests: boolean): object {
  const item = tests ? playbookTestSchema : playbookKeys;
  return z.toJSONSchema(z.union([item, z.array(item)]), { io: 'input', target: 'draft-7', unrepresentable: 'any' });
}
