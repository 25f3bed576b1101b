import { suite, test } from 'node:test';
import { elasticsearch as flavour } from './flavours.ts';
import { readerSuite } from './reader-suite.ts';
import { sinkSuite } from './suite.ts';

if (flavour.skip === false) {
  sinkSuite(flavour.name, flavour.open);
  readerSuite(flavour.name, flavour.open);
} else {
  suite(flavour.name, () => test('does what every store of the trail must', { skip: flavour.skip }, () => {}));
}
