import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Lab } from './lab.ts';

function missing(): string | false {
  try {
    createRequire(import.meta.url).resolve('@virustotal/yara-x/package.json');
    return false;
  } catch {
    return 'the optional package @virustotal/yara-x is not installed';
  }
}

describe('the scan of what was collected', { skip: missing() }, () => {
  it('names the rules that match, and where', async () => {
    const rules = join(import.meta.dirname, 'rules.yar');
    using lab = new Lab({ rules });
    const path = join(lab.directory, 'file');
    // The mark lies across the border of two parts.
    const bytes = Buffer.alloc((64 << 20) + 4096);
    bytes.write('EVIL-MARK', (64 << 20) - 4);
    writeFileSync(path, bytes);
    const { outcome, collection } = await lab.collect({ what: 'file', path });
    assert.equal(outcome.facts['matches'], 'implant', JSON.stringify(collection));
    const [match] = collection.items[0]?.matches ?? [];
    assert.deepEqual(match, {
      rule: 'implant',
      namespace: 'default',
      tags: ['dropper'],
      at: [`$mark@${(64 << 20) - 4}`],
    });
  });

  it('collects without a scan when the rules are not valid, and says so', async () => {
    using lab = new Lab();
    const rules = join(lab.directory, 'rules.yar');
    writeFileSync(rules, 'rule broken {');
    using other = new Lab({ rules });
    const path = join(lab.directory, 'file');
    writeFileSync(path, 'EVIL-MARK');
    const { outcome, collection } = await other.collect({ what: 'file', path });
    assert.equal(outcome.outcome, 'executed');
    assert.match(collection.notes.join(), /the rules of .* are not valid/);
  });

  it('ends with the limits of the collection', async () => {
    using lab = new Lab({ rules: join(import.meta.dirname, 'slow.yar'), limits: { cpuSeconds: 3 } });
    const path = join(lab.directory, 'file');
    writeFileSync(path, Buffer.alloc(32 << 20, 'ab'));
    const { outcome, collection } = await lab.collect({ what: 'file', path });
    assert.equal(collection.items[0]?.size, 32 << 20, 'the content is kept');
    const told = [...(collection.items[0]?.notes ?? []), outcome.reason].join(' ');
    assert.match(told, /the scan of the bytes from 0 on failed|SIGKILL/);
  });
});
