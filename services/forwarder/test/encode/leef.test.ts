import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { suite, test } from 'node:test';
import { leef } from '../../src/encode/leef.ts';
import { withHostileTexts } from './texts.ts';

interface LeefEvent {
  readonly header: readonly string[];
  readonly attributes: ReadonlyMap<string, string>;
}

/** Reads one event by the rules of LEEF 2.0: six fields with pipes, the last being the character between attributes. */
function parseLeef(line: string): LeefEvent {
  const [version, vendor, product, release, id, delimiter = '', ...rest] = line.split('|');
  const character = String.fromCharCode(Number.parseInt(/^(?:0?x)([0-9A-Fa-f]{1,4})$/.exec(delimiter)?.[1] ?? '', 16));
  const attributes = new Map<string, string>();
  for (const pair of rest.join('|').split(character)) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, equals);
    if (equals < 1 || !/^[A-Za-z]+$/.test(key)) throw new Error(`"${pair}" has no key`);
    if (attributes.has(key)) throw new Error(`${key} is there twice`);
    attributes.set(key, pair.slice(equals + 1));
  }
  return { header: [version, vendor, product, release, id].map(String), attributes };
}

const printedValue = (text = '', max = 4000): string =>
  text
    .slice(0, max)
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ');

suite('LEEF', () => {
  test('is read back by the published rules, whatever the texts are', () => {
    withHostileTexts((item, texts) => {
      const line = leef(item);
      assert.ok(line.isWellFormed());
      assert.doesNotMatch(line.replaceAll('\t', ''), /\p{Cc}/u);
      const { header, attributes } = parseLeef(line);
      assert.deepEqual(header.slice(0, 3), ['LEEF:2.0', 'Ringfence', 'Ringfence']);
      assert.equal(header[4], printedValue(texts['rule.name'] ?? 'alert', 512).replaceAll('|', ' '));
      const printed = {
        msg: texts.message,
        identHostName: texts['host.name'] || texts['host.id'],
        hostId: texts['host.id'],
        usrName: texts['user.name'],
        process: texts['process.executable'],
        commandLine: texts['process.command_line'],
        parentProcess: texts['process.parent.executable'],
        container: texts['container.name'],
        image: texts['container.image.name'],
        resource: texts['file.path'],
      };
      for (const [key, text] of Object.entries(printed))
        assert.equal(attributes.get(key) ?? '', printedValue(text), key);
      assert.deepEqual([attributes.get('eventUid'), attributes.get('group')], [item.id, item.group]);
      const known = [
        'devTime',
        'devTimeFormat',
        'cat',
        'sev',
        'src',
        'dstPort',
        'eventUid',
        'group',
        ...Object.keys(printed),
      ];
      assert.deepEqual(
        [...attributes.keys()].filter((key) => !known.includes(key)),
        [],
      );
    });
  });

  test('has addresses, ports and times only in their form', () => {
    withHostileTexts((item, { 'source.ip': source = '', 'destination.port': port = '' }) => {
      const { attributes } = parseLeef(leef(item));
      assert.equal(attributes.get('src'), isIP(source) > 0 ? source : undefined);
      const isPort = /^\d{1,5}$/.test(port) && Number(port) <= 65_535;
      assert.equal(attributes.get('dstPort'), isPort ? port : undefined);
      assert.equal(attributes.get('devTime'), new Date(item.at / 1000).toISOString());
      assert.match(attributes.get('sev')!, /^([1-9]|10)$/);
    });
  });
});
