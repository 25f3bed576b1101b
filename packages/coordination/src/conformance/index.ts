import { after, describe } from 'node:test';
import { closing } from './closing.ts';
import type { Driver, MakeDriver } from './driver.ts';
import { hostile } from './hostile.ts';
import { jobs } from './jobs.ts';
import { leases } from './leases.ts';
import { limits } from './limits.ts';

export type { Driver } from './driver.ts';

/** Registers the tests that every driver of the port must pass. */
export function conformance(name: string, makeDriver: MakeDriver): void {
  describe(`the ${name} driver of the coordination`, () => {
    const drivers: Driver[] = [];
    after(async () => {
      for (const driver of drivers) await driver.dispose();
    });
    const make = async (): Promise<Driver> => {
      const driver = await makeDriver();
      drivers.push(driver);
      return driver;
    };
    jobs(make);
    leases(make);
    limits(make);
    hostile(make);
    closing(make);
  });
}
