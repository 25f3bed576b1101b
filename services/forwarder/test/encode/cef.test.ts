import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { suite, test } from 'node:test';
import { cef } from '../../src/encode/cef.ts';
import { incidentItem } from '../support.ts';
import { withHostileTexts } from './texts.ts';

interface CefEvent {
  readonly header: readonly string[];
  readonly extension: ReadonlyMap<string, string>;
}

/**
 * Reads one event by the rules of the CEF implementation standard: in the header `\|` and `\\` are escapes and a bare
 * pipe ends a field; a key is a word before a bare `=`; in values `\=`, `\\`, `\n` and `\r` are escapes.
 */
function parseCef(line: string): CefEvent {
  const header: string[] = [];
  let field = '';
  let at = 0;
  for (; header.length < 7; at++) {
    const char = line[at];
    if (char === undefined) throw new Error('the header ends early');
    if (char === '|') {
      header.push(field);
      field = '';
    } else if (char !== '\\') field += char;
    else if ('\\|'.includes(line[++at] ?? ' ')) field += line[at];
    else throw new Error(`\\${line[at]} is no escape of a header`);
  }
  return { header, extension: parseExtension(line.slice(at)) };
}

function parseExtension(text: string): Map<string, string> {
  const extension = new Map<string, string>();
  let [key, value] = ['', ''];
  const finish = (): void => {
    if (key === '') assert.equal(value, '');
    else if (extension.has(key)) throw new Error(`${key} is there twice`);
    else extension.set(key, value);
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === '\\') {
      const escaped = { '\\': '\\', '=': '=', n: '\n', r: '\r' }[text[++at]!];
      if (escaped === undefined) throw new Error(`\\${text[at]} is no escape of a value`);
      value += escaped;
    } else if (char !== '=') value += char;
    else {
      const space = value.lastIndexOf(' ');
      const next = value.slice(space + 1);
      value = value.slice(0, Math.max(space, 0));
      finish();
      [key, value] = [next, ''];
    }
  }
  finish();
  return extension;
}

/** The longest value of 4,000 characters, with its line breaks; a divided character becomes U+FFFD. */
const printedValue = (text = ''): string =>
  text
    .slice(0, 4000)
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\P{Cc}\n\r]+/gu, ' ');
const printedHeader = (text: string): string =>
  text
    .slice(0, 512)
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ');

suite('CEF', () => {
  test('is read back by the published rules, whatever the texts are', () => {
    withHostileTexts((item, texts) => {
      const line = cef(item);
      assert.ok(line.isWellFormed());
      assert.doesNotMatch(line, /\p{Cc}/u);
      const { header, extension } = parseCef(line);
      assert.deepEqual(header.slice(0, 3), ['CEF:0', 'Ringfence', 'Ringfence']);
      assert.deepEqual(header.slice(4), ['alert', printedHeader(texts['rule.name'] ?? 'alert'), '5']);
      const get = (key: string): string => extension.get(key) ?? '';
      const printed = {
        msg: texts.message,
        dvchost: texts['host.name'] || texts['host.id'],
        deviceExternalId: texts['host.id'],
        suser: texts['user.name'],
        sproc: texts['process.executable'],
        act: texts['event.action'],
        cs3: texts['container.name'],
        cs4: texts['process.parent.executable'],
        cs5: texts['process.command_line'],
        cs6: texts['container.image.name'],
        fname: texts['file.path'],
      };
      for (const [key, text] of Object.entries(printed)) assert.equal(get(key), printedValue(text), key);
      assert.deepEqual([get('externalId'), get('cs2')], [item.id, item.group]);
      const labels = ['cs2', 'cs3', 'cs4', 'cs5', 'cs6', 'c6a2']
        .filter((key) => extension.has(key))
        .map((key) => `${key}Label`);
      const known = ['rt', 'externalId', 'src', 'dpt', 'cs2', 'c6a2', ...labels, ...Object.keys(printed)];
      assert.deepEqual(
        [...extension.keys()].filter((key) => !known.includes(key)),
        [],
      );
    });
  });

  test('has addresses, ports and times only in their form', () => {
    withHostileTexts((item, { 'source.ip': source = '', 'destination.port': port = '' }) => {
      const { extension } = parseCef(cef(item));
      assert.equal(extension.get('src'), isIPv4(source) ? source : undefined);
      assert.equal(extension.get('c6a2'), isIPv6(source) ? source : undefined);
      const isPort = /^\d{1,5}$/.test(port) && Number(port) <= 65_535;
      assert.equal(extension.get('dpt'), isPort ? port : undefined);
      assert.equal(extension.get('rt'), String(Math.floor(item.at / 1000)));
    });
  });

  test('of an incident names its stages and techniques', () => {
    const stages = [{ tactic: 'execution', techniques: ['T1059.004', 'T1083'], firstSeen: 1 }];
    const { header, extension } = parseCef(cef(incidentItem(3, { stages })));
    assert.deepEqual([header[4], header[6]], ['incident', '8']);
    assert.deepEqual([extension.get('cat'), extension.get('cs1')], ['execution', 'T1059.004,T1083']);
  });
});
