import { decodeText } from '@ringfence/wire';
import { Fault } from '../../diagnostics/errors.ts';
import type { YamlText } from '../file/yaml.ts';
import { parseOperand } from '../syntax/parser.ts';
import type { Escapes } from '../syntax/scanner.ts';
import type { OperandSyntax } from '../syntax/syntax.ts';

/**
 * Falco's meaning of a character after a backslash, in addition to \\ and quotes. Other characters keep their
 * backslash, for regular expressions.
 */
export const ESCAPES: Escapes = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '/': '/' };

/** \xff in quoted text is one byte; texts from the kernel show a byte that is no UTF-8 by the same four characters. */
export const byteText = (text: string): string =>
  text.replace(/(?:\\x[\da-f]{2})+/gi, (bytes) => decodeText(Buffer.from(bytes.replaceAll('\\x', ''), 'hex')));

/**
 * Returns the content of quotes; undefined: the text is not quoted. Falco inserts list items into conditions as
 * written, so their quotes are quotes of the condition.
 */
export function unquoted(text: string): string | undefined {
  const trimmed = text.trim();
  const quote = trimmed[0];
  if ((quote !== '"' && quote !== "'") || trimmed.length < 2 || !trimmed.endsWith(quote)) return undefined;
  return trimmed.slice(1, -1).replace(/\\(["'\\])/g, '$1');
}

/** Parses a text of the file that is a single field. @throws Fault at its place */
export function parseOperandAt(text: YamlText): OperandSyntax {
  try {
    return at(parseOperand(text.text.trim()), text);
  } catch (error) {
    if (error instanceof Fault) throw error.movedTo(text.place(error.at));
    throw error;
  }
}

function at(operand: OperandSyntax, text: YamlText): OperandSyntax {
  return { ...operand, at: text.at };
}

/** An output may start with an asterisk, which asks for a line even if fields are missing: here there always is one. */
export function outputText(text: string): string {
  return text
    .trimEnd()
    .replace(/^\*/, '')
    .replaceAll('%container.info', 'container_id=%container.id container_name=%container.name');
}
