import { EventView, type SigningKey } from '@ringfence/wire';
import type { CompiledDetectorOptions } from './config.ts';
import { Chains } from './graph/chains.ts';
import { HandledEvent } from './graph/handled-event.ts';
import type { DetectorStats } from './metrics.ts';
import type { Rarity } from './state/rarity.ts';
import { AddAlert } from './steps/add-alert.ts';
import { NoteEdges } from './steps/note-edges.ts';
import { NoteLinks } from './steps/note-links.ts';
import { Publisher } from './steps/publish.ts';
import { TakeFeedback } from './steps/take-feedback.ts';
import { TakeJoin } from './steps/take-join.ts';
import type { TraceSteps } from './steps/trace.ts';

/** The steps of the first stage, for one partition. */
export interface PipelineParts {
  readonly options: CompiledDetectorOptions;
  readonly stats: DetectorStats;
  readonly tracing: TraceSteps;
  readonly chains: Chains;
  /** One view for all events */
  readonly event: HandledEvent;
  readonly noteEdges: NoteEdges;
  readonly noteLinks: NoteLinks;
  readonly addAlert: AddAlert;
  readonly takeJoin: TakeJoin;
  readonly takeFeedback: TakeFeedback;
  readonly publisher: Publisher;
}

export interface PartsDeps {
  readonly options: CompiledDetectorOptions;
  readonly stats: DetectorStats;
  readonly rarity: Rarity;
  readonly tracing: TraceSteps;
  /** null: unsigned */
  readonly key: SigningKey | null;
}

export function createParts({ options, stats, rarity, tracing, key }: PartsDeps): PipelineParts {
  const chains = new Chains(options, stats);
  return {
    ...{ options, stats, tracing, chains },
    event: new HandledEvent(new EventView(), options.isAgent),
    noteEdges: new NoteEdges(stats),
    noteLinks: new NoteLinks(chains),
    addAlert: new AddAlert({ options, stats, chains, rarity }),
    takeJoin: new TakeJoin(stats, chains),
    takeFeedback: new TakeFeedback(stats, rarity),
    publisher: new Publisher({ stats, key, tracing, incidentThreshold: options.incidentThreshold }),
  };
}
