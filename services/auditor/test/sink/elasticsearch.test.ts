import { suite, test } from 'node:test';
import { elasticsearch as flavour } from './flavours.ts';
import { readerSuite } from './reader-suite.ts';
import { sinkSuite } from './suite.ts';

if (flavour.skip === false) {
  sinkSuite(flavour.name, flavour.open);
  readerSuite(flavour.name, flavour.open);
} else {
  suite(flavour.name, () => test('passes the tests of every store', { skip: flavour.skip }, () => {}));
}
