import type { z } from 'zod';
import { SinkUnavailableError } from '../errors.ts';
import { type HttpAnswer, oneLine } from './http-client.ts';

/**
 * Returns the body of an answer as the far side's API has it. Throws SinkUnavailableError if it is anything else: a
 * proxy's or another program's answer confirms nothing.
 */
export function readAnswer<T>(sink: string, { status, text }: HttpAnswer, schema: z.ZodType<T>): T {
  const { data, success } = schema.safeParse(parse(text));
  if (success) return data;
  const reason = `the far side answered ${status} with an unknown text, "${oneLine(text)}"; check the URL`;
  throw new SinkUnavailableError(sink, reason);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
