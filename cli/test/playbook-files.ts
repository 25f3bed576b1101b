import { loadPlaybooks, type Playbook } from '@ringfence/responder';

export const RIGHT = `playbook: right
mode: enforce
when: { priority: critical }
steps:
  - do: suspend
    for: 5m
  - wait: 1m
    if: suspend.outcome = executed
    do: kill
    approve: 1
`;

export const TESTS = `playbook: right
tests:
  - test: a critical alert
    given: { priority: critical }
    expect: [suspend, kill]
    end: completed
  - test: a notice
    given: { priority: notice }
    expect: none
`;

export const WRONG = `playbook: wrong
when: { priority: critical }
steps:
  - do: suspend
    unless: never
  - do: kill
    if: suspendd.outcome = executed
`;

export function loadedFrom(text: string): readonly Playbook[] {
  const { playbooks, problems } = loadPlaybooks([{ name: 'p.yaml', text }]);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return playbooks;
}
