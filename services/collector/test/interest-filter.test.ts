import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '@ringfence/base';
import { INITIAL_INTEREST, type Interest } from '@ringfence/interest';
import { BpfMap } from '@ringfence/libbpf-ts';
import type { OnDemandHooks, SensorFilter } from '@ringfence/sensor';
import { nameKey, prefixKey, variableKey, WatchedTexts } from '@ringfence/sensor/parts';
import { InterestFilter } from '../src/interest-filter.ts';

const skip = process.getuid?.() !== 0 && 'making a BPF map needs root';

const WANTED: Interest = {
  ...INITIAL_INTEREST,
  version: 1,
  wants: [],
};

/** Returns a filter with maps of its own, and a record of the settings that it makes. */
function createTestFilter(stack: DisposableStack, environment: readonly string[] = ['*']) {
  const texts = (keySize: number, encode: (text: string) => Uint8Array, flags = 0): WatchedTexts => {
    const type = flags === 0 ? 'hash' : 'lpm_trie';
    const map = BpfMap.create({ type, name: 'rf_test', keySize, valueSize: 4, maxEntries: 4096, flags });
    return new WatchedTexts(stack.use(map), encode);
  };
  const [prefixes, changedPrefixes] = [texts(260, prefixKey, 1), texts(260, prefixKey, 1)];
  const [names, executables, changedNames] = [texts(32, nameKey), texts(32, nameKey), texts(32, nameKey)];
  const variables = texts(68, variableKey, 1);
  const warnings: string[] = [];
  const control = {
    allOpens: false,
    watchedHeads: 0n,
    watchingNames: false,
    watchingExecutables: false,
    changedHeads: 0n,
    watchingChangedNames: false,
    rawPaths: false,
    allVariables: false,
    watchingVariables: false,
  };
  const filter = new InterestFilter(
    { opens: 'interest', watchedPaths: [], audit: [], environment },
    {
      watched: { prefixes, names, executables, changedPrefixes, changedNames, variables },
      hashes: { unwatched: new Uint8Array(512), unnamed: new Uint8Array(512) },
      interests: { set: () => true } as unknown as SensorFilter['interests'],
      onDemand: { attachFor: () => [], detachUnwanted: () => undefined } as unknown as OnDemandHooks,
      files: { want: () => undefined },
      control,
    },
    { ...silentLog, warn: (_: object, message: string) => warnings.push(message) },
  );
  return { filter, control, names, variables, warnings };
}

describe('what the sensor watches', () => {
  it('goes over to others although there is no room for both at once', { skip }, () => {
    using stack = new DisposableStack();
    const { filter, control, names, warnings } = createTestFilter(stack);
    const named = (letter: string, count: number): Interest => ({
      ...WANTED,
      openNames: Array.from({ length: count }, (_, index) => `${letter}${index}`),
    });
    filter.apply(named('a', 3000));
    filter.apply(named('b', 3000));
    assert.deepEqual([control.allOpens, names.size, warnings], [false, 3000, []]);
    filter.apply(named('c', 5000));
    assert.deepEqual([control.allOpens, warnings.length], [true, 1]);
  });

  it('includes raw paths and variables while an interest asks for them', { skip }, () => {
    using stack = new DisposableStack();
    const { filter, control, variables, warnings } = createTestFilter(stack);
    const seen = (interest: Partial<Interest>): unknown[] => {
      filter.apply({ ...WANTED, ...interest });
      return [control.rawPaths, control.allVariables, control.watchingVariables, variables.size];
    };
    assert.deepEqual(seen({ rawPaths: true }), [true, false, false, 0]);
    assert.deepEqual(seen({ environment: ['LD_PRELOAD'] }), [false, false, false, 0], 'execs always have that one');
    assert.deepEqual(seen({ environment: ['A', 'B', 'LD_PRELOAD'] }), [false, false, true, 2]);
    assert.deepEqual(seen({ environment: ['*', 'B'] }), [false, true, true, 1]);
    assert.deepEqual(seen({}), [false, false, false, 0]);
    const many = Array.from({ length: 5000 }, (_, index) => `V${index}`);
    assert.deepEqual([seen({ environment: many }), warnings.length], [[false, false, false, 0], 1]);
  });

  it('includes no variable that the setting does not allow, whatever an interest asks for', { skip }, () => {
    using stack = new DisposableStack();
    const { filter, control, variables, warnings } = createTestFilter(stack, ['A', 'B', 'JAVA_*']);
    const seen = (...names: string[]): unknown[] => {
      filter.apply({ ...WANTED, environment: names });
      return [control.allVariables, variables.size, warnings.splice(0).length];
    };
    assert.deepEqual(seen('A', 'LD_PRELOAD'), [false, 1, 0]);
    assert.deepEqual(seen('A', 'AWS_SECRET_ACCESS_KEY'), [false, 1, 1]);
    assert.deepEqual(seen('A', 'AWS_SECRET_ACCESS_KEY'), [false, 1, 0], 'the same refusal is reported once');
    assert.deepEqual(seen('JAVA_HOME', 'JAVA', 'A'), [false, 2, 1]);
    assert.deepEqual(seen('*'), [false, 2, 1]);
    const { filter: closed, variables: none, control: closedControl } = createTestFilter(stack, []);
    closed.apply({ ...WANTED, environment: ['*', 'A'] });
    assert.deepEqual([closedControl.allVariables, closedControl.watchingVariables, none.size], [false, false, 0]);
  });
});
