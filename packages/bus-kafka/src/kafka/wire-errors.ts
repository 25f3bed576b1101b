import { protocolErrorsCodesById } from '@platformatic/kafka';
import { WireError } from './wire.ts';

/** Kafka's name of an error code; null: no error. */
export const nameOf = (code: number): string | null =>
  code === 0 ? null : ((protocolErrorsCodesById as Record<number, string>)[code] ?? `CODE_${code}`);

/** Throws WireError unless the code says that all is well. */
export function refuse(code: number, what: string): void {
  const name = nameOf(code);
  if (name !== null) throw new WireError(name, `${what}: the broker says ${name}`);
}
