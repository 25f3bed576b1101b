import type { Item } from '../../sink.ts';
import { detectionFinding } from './alert.ts';
import { known, type Ocsf } from './common.ts';
import { incidentFinding } from './incident.ts';
import { entityManagement } from './operator.ts';
import { finishedRemediation, orderedRemediation } from './response.ts';

/** Returns an item as an event of OCSF, made from its document. `metadata.uid` is the id for dropping doubles. */
export const ocsfEvent = (item: Item): Ocsf => known(encode(item)) as Ocsf;

function encode(item: Item): Ocsf {
  switch (item.kind) {
    case 'alert':
      return detectionFinding(item);
    case 'incident':
      return incidentFinding(item);
    case 'command':
      return orderedRemediation(item);
    case 'result':
      return finishedRemediation(item);
    case 'operator':
      return entityManagement(item);
  }
}
