import type { Scene } from './scene.ts';

/** An event of one type, conditions that all hold on it, and conditions that do not. */
export interface Case {
  readonly title: string;
  readonly play: (scene: Scene) => void;
  /** Falco's type of the event; undefined: it has none. */
  readonly type: string | undefined;
  readonly holds: readonly string[];
  readonly not?: readonly string[];
  readonly output?: readonly [format: string, expected: string];
}
