import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMATS, syslogMessage } from '../../src/encode/syslog.ts';
import { withHostileTexts } from './texts.ts';

/** RFC 5424, section 6: the header has printable ASCII only, the message is what follows the structured data. */
const MESSAGE =
  /^<(\d{1,3})>1 (\S+) ([\x21-\x7e]{1,255}) ringfence - alert \[origin software="ringfence" swVersion="[\d.]+"\] /;

test('a message of syslog is one line with a header of RFC 5424, whatever the texts are', () => {
  withHostileTexts((item) => {
    for (const format of Object.keys(FORMATS) as (keyof typeof FORMATS)[]) {
      const message = syslogMessage(item, 16, format);
      const [head, priority, time] = MESSAGE.exec(message)!;
      assert.deepEqual([priority, time], ['132', new Date(item.at / 1000).toISOString()]);
      assert.doesNotMatch(message, /[\n\r\0]/);
      assert.equal(message.slice(head.length), FORMATS[format](item));
    }
  });
});
