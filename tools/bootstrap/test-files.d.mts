export interface TestArguments {
  readonly filters: readonly string[];
  readonly only: string | undefined;
  /** Time limit of a file, in seconds. */
  readonly timeout: string;
  readonly list: boolean;
  readonly help: boolean;
}
export function parseTestArguments(argv: readonly string[]): TestArguments;
export function testPaths(root: string, filters: readonly string[]): string[];
