import type { Command } from 'commander';
import { organizationFiles, readOrganization, type OrganizationProblem } from '../../infra/organizations.ts';
import { type SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { type Finding, findingsOf } from '../deploy/assembly.ts';
import { type OrgOptions, shown, withOrgOptions } from '../deploy/org-options.ts';
import { print, say } from '../output.ts';

/**
 * Whether organizations could be deployed: each file against the schema, and each template with every check of the synthesis. Needs no
 * AWS account. Ends with 2 when a file is wrong, with 1 when a template is.
 */
interface Validated {
  /** null: the file does not say. */
  readonly name: string | null;
  readonly file: string;
  /** Of the file, by field. */
  readonly problems: readonly OrganizationProblem[];
  /** Of the template. A template is made only of a file without problems. */
  readonly findings: readonly Finding[];
}

export function addOrgValidateCommand(org: Command): void {
  withOrgOptions(org.command('validate [org...]'))
    .description('check files and templates of organizations (default: all); needs no AWS account')
    .action(validate);
}

async function validate(names: readonly string[], { orgs, json }: OrgOptions): Promise<void> {
  const read = organizationFiles(orgs, names).map((file) => ({ file, ...nameOrProblems(orgs, file) }));
  const whole = read.filter(({ problems }) => problems.length === 0);
  if (whole.length > 0) say(`Making the templates of ${whole.map(({ name }) => name).join(', ')}`);
  const findings = whole.length === 0 ? [] : await findingsOf(whole.map(({ file }) => file));
  const organizations = read.map((one): Validated => ({
    ...one,
    findings: findings.filter(({ stack }) => stack === `storeline-${one.name}`),
  }));
  const wrong = organizations.some(({ problems }) => problems.length > 0);
  print({ json: json === true }, { valid: !wrong && findings.length === 0, organizations }, () =>
    organizations.map((one) => textOf(one)).join('\n'),
  );
  if (wrong || findings.length > 0) process.exitCode = wrong ? 2 : 1;
}

function nameOrProblems(folder: string, file: string): Pick<Validated, 'name' | 'problems'> {
  try {
    return { name: readOrganization(folder, file).name, problems: [] };
  } catch (error) {
    if (!isSyncError(error, 'INVALID_INPUT')) throw error;
    return { name: null, problems: problemsIn(error) };
  }
}

function problemsIn({ details, message }: SyncError): OrganizationProblem[] {
  return (details?.['problems'] as OrganizationProblem[] | undefined) ?? [{ field: '', message }];
}

function textOf({ name, file, problems, findings }: Validated): string {
  if (problems.length > 0)
    return [`${shown(file)} is not valid`, ...problems.map(({ field, message }) => `  ${field}: ${message}`)].join('\n');
  if (findings.length === 0) return `${name}: valid`;
  return [`${name}: its template breaks rules`, ...findings.map(({ rule, at, message }) => `  ${rule} at ${at}: ${message}`)].join('\n');
}
