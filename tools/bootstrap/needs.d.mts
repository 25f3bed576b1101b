export type Need = 'compiler' | 'clang' | 'libbpf' | 'sensor' | 'servers' | 'guests' | 'engine';
export const ALL_NEEDS: readonly Need[];
export function needsOf(root: string, paths: readonly string[]): Set<Need>;
