import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, type Driver } from '../../src/conformance/index.ts';
import { EmbeddedBus, openEmbeddedBus } from '../../src/embedded/bus.ts';
import type { Bus } from '../../src/port.ts';

async function compact(bus: Bus): Promise<void> {
  if (bus instanceof EmbeddedBus) await bus.maintain();
}

conformance('the embedded bus', {
  bounded: true,
  shared: false,
  atomic: true,
  compact,
  async make(options): Promise<Driver> {
    const directory = await mkdtemp(join(tmpdir(), 'rf-bus-'));
    const path = join(directory, 'bus.db');
    const bus = await openEmbeddedBus({ path, ...options });
    let open = bus;
    return {
      bus,
      async reopen() {
        await open.close();
        open = await openEmbeddedBus({ path, ...options });
        return open;
      },
      async dispose() {
        await open.close();
        await rm(directory, { recursive: true });
      },
    };
  },
});

conformance('the embedded bus in memory', {
  bounded: true,
  shared: false,
  atomic: true,
  compact,
  async make(options): Promise<Driver> {
    const bus = await openEmbeddedBus({ path: ':memory:', ...options });
    return { bus, dispose: () => bus.close() };
  },
});
