import { after, describe } from 'node:test';
import { closing } from './closing.ts';
import type { Driver, DriverFactory } from './driver.ts';
import { groups } from './groups.ts';
import { limits } from './limits.ts';
import { order } from './order.ts';
import { reading } from './reading.ts';
import { sharing } from './sharing.ts';
import { state } from './state.ts';
import { topics } from './topics.ts';

export type { Driver, DriverFactory } from './driver.ts';

/** Registers the tests that every driver of the port must pass. */
export function conformance(name: string, factory: DriverFactory): void {
  describe(`${name} fulfils the contract of the bus`, () => {
    const drivers: Driver[] = [];
    after(async () => {
      for (const driver of drivers) await driver.dispose();
    });
    const make = async (options: { readonly maxBytes?: number } = {}): Promise<Driver> => {
      const driver = await factory.make(options);
      drivers.push(driver);
      return driver;
    };
    order(make);
    groups(make);
    sharing(make, factory);
    state(make, factory);
    topics(make, factory);
    reading(make);
    limits(make, factory);
    closing(make);
  });
}

export { collect, NOTHING, record, take, text, topic } from './helpers.ts';
