import { operatorOfProcess } from '../src/action.ts';
import { OperatorLog } from '../src/log.ts';

const [, , stateDir = '', count = '0'] = process.argv;
const log = new OperatorLog({ stateDir });
for (let n = 0; n < Number(count); n++)
  await log.append({ action: 'test.append', target: String(n) }, operatorOfProcess());
