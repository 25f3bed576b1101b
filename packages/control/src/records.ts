import { decode, type Result, SchemaError } from '@ringfence/wire';
import { BadCommandError } from './errors.ts';
import { MAX_MESSAGE_BYTES } from './wire.ts';

/** Protobuf overhead of a message around its payload, bytes. */
const ENVELOPE_BYTES = 64;

/** Returns the id of a framed Command. Throws BadCommandError. */
export function commandId(command: Uint8Array): string {
  if (command.length > MAX_MESSAGE_BYTES - ENVELOPE_BYTES) throw new BadCommandError(`it has ${command.length} bytes`);
  try {
    return decode('Command', command).id;
  } catch (cause) {
    if (cause instanceof SchemaError) throw new BadCommandError(cause.message, { cause });
    throw cause;
  }
}

/** Returns null when the bytes are not a Result. */
export function readResult(bytes: Uint8Array): Result | null {
  try {
    return decode('Result', bytes);
  } catch (error) {
    if (error instanceof SchemaError) return null;
    throw error;
  }
}
