import type { Log } from '@ringfence/base';
import { type FileProblem, renderProblem } from '@ringfence/checked-yaml';
import { RuleWatch } from '@ringfence/detector';
import { loadPlaybookFiles, type Responder } from '@ringfence/responder';

/**
 * Gives changed playbook files to the responder. While a file has an error, all playbooks stay as they are: half of a
 * change could be a trigger without its exception. Built-in playbooks don't change.
 */
export function followPlaybooks(
  paths: readonly string[],
  responder: Pick<Responder, 'setPlaybooks' | 'refusePlaybooks'>,
  log: Log,
): Disposable {
  const changed = (): void => {
    const { playbooks, problems } = loadPlaybookFiles(paths);
    if (problems.length > 0) {
      responder.refusePlaybooks();
      log.error({ problems: problemTexts(problems) }, 'playbooks have errors: the earlier ones stay in force');
    } else {
      responder.setPlaybooks(playbooks);
      log.info({ playbooks: playbooks.length }, 'playbooks changed');
    }
  };
  const failed = (err: Error): void => log.warn({ err }, 'playbooks can not be watched: restart after a change');
  return new RuleWatch(
    paths.filter((path) => path !== 'builtin'),
    changed,
    failed,
  );
}

const PROBLEMS_MAX = 20;

const problemTexts = (problems: readonly FileProblem[]): string[] =>
  problems.slice(0, PROBLEMS_MAX).map((problem) => renderProblem(problem).split('\n', 1)[0] ?? '');
