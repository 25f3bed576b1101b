import { type Received, startReceiver } from '../support.ts';

process.env['RF_TEST_JIRA'] = 'ATATT1';

export interface Issue {
  readonly key: string;
  fields: Record<string, unknown>;
  readonly comments: string[];
  status: 'new' | 'done';
}

interface Answer {
  status: number;
  body?: unknown;
}

/** A part of the Atlassian Document Format */
export interface Node {
  readonly text?: string;
  readonly content?: readonly Node[];
}

/** All texts of a document */
export const textOf = ({ text = '', content = [] }: Node): string => text + content.map(textOf).join('|');

export interface JiraServer extends AsyncDisposable {
  readonly issues: Issue[];
  readonly received: readonly Received[];
  readonly url: string;
  /** YAML of a sink that sends here */
  readonly sink: string;
}

export interface JiraOptions {
  /** Answers instead, if it returns a status */
  readonly failing?: (request: Received, count: number) => number | undefined;
  /** Of the account that may use it */
  readonly user?: string;
  /** Names of the transitions */
  readonly ways?: Readonly<Record<'done' | 'new', string>>;
}

/** Jira Cloud as far as its published methods go. */
export async function startJira({
  failing = () => undefined,
  user = 'bot@x.example',
  ways = { done: 'to done', new: 'to new' },
}: JiraOptions = {}): Promise<JiraServer> {
  const issues: Issue[] = [];
  const create = ({ fields }: Pick<Issue, 'fields'>): Answer => {
    issues.push({ key: `SEC-${issues.length + 1}`, fields, comments: [], status: 'new' });
    return { status: 201, body: { id: '1', key: issues.at(-1)!.key } };
  };
  const search = ({ jql }: { jql: string }): Answer => {
    const [, project, label] = /^project = "(SEC)" AND labels = "([\w.:-]+)"$/.exec(jql) ?? [];
    if (project === undefined) return { status: 400 };
    const matching = issues.filter(({ fields }) => (fields['labels'] as string[]).includes(label!));
    return { status: 200, body: { issues: matching.map(({ key }) => ({ key })), isLast: true } };
  };
  const transition = (issue: Issue, method: string, body: string): Answer => {
    const to = issue.status === 'new' ? 'done' : 'new';
    const way = { id: '31', name: ways[to], to: { statusCategory: { key: to } } };
    if (method === 'GET') return { status: 200, body: { transitions: [way] } };
    if (JSON.parse(body).transition.id !== way.id) return { status: 400 };
    issue.status = to;
    return { status: 204, body: '' };
  };
  const onIssue = ({ method, path, body }: Received): Answer => {
    const [, key, rest] = /^\/rest\/api\/3\/issue\/(SEC-\d+)(.*)$/.exec(path) ?? [];
    const issue = issues.find((candidate) => candidate.key === key);
    if (issue === undefined) return { status: 404 };
    if (rest === '/transitions') return transition(issue, method, body);
    if (rest === '?fields=status')
      return { status: 200, body: { fields: { status: { statusCategory: { key: issue.status } } } } };
    if (rest === '/comment') {
      issue.comments.push(textOf(JSON.parse(body).body));
      return { status: 201 };
    }
    if (method !== 'PUT' || rest !== '') return { status: 405 };
    issue.fields = { ...issue.fields, ...JSON.parse(body).fields };
    return { status: 204, body: '' };
  };
  const receiver = await startReceiver((request, count) => {
    const { path, body, headers } = request;
    const status = failing(request, count);
    if (status !== undefined) return { status };
    const login = Buffer.from(`${user}:ATATT1`).toString('base64');
    if (headers.authorization !== `Basic ${login}`) return { status: 401 };
    if (path === '/rest/api/3/search/jql') return search(JSON.parse(body));
    return path === '/rest/api/3/issue' ? create(JSON.parse(body)) : onIssue(request);
  });
  return {
    issues,
    received: receiver.received,
    url: receiver.url,
    sink:
      `{sink: jira, type: jira, url: '${receiver.url}', login: {user: bot@x.example, token: env:RF_TEST_JIRA}, project: SEC,` +
      ' labels: [soc], priorities: {critical: Highest, warning: Low}}',
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}
