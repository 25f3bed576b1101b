export interface Place {
  readonly stack: AsyncDisposableStack;
  /** Folder for files */
  readonly folder: string;
  /** Of the example in the list of its block */
  readonly index: number;
}

export interface FarSide {
  /** Lines of the settings that name the far side: its address, and what it alone decides. */
  readonly lines: Readonly<Record<string, string>>;
  /** By the name of the file or variable. @default the-secret */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Returns whether the test of the sink is there. */
  arrived(): boolean | Promise<boolean>;
}

export interface FarSideOfKind {
  /** Returns the reason why it can't be started */
  readonly missing?: () => string | undefined;
  start(place: Place): Promise<FarSide>;
}
