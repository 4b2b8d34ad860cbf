import { InvariantError } from '../core/errors.ts';

/** A resource of a CloudFormation template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** A CloudFormation template, as far as it is read here. */
export interface Template {
  readonly Resources?: Readonly<Record<string, TemplateResource>>;
}

/** What a deployed template's references stand for. */
export interface Deployed {
  /** Physical ids by logical id. */
  readonly physicalIds: ReadonlyMap<string, string>;
  /** Values that other stacks export, by name. */
  readonly exports: ReadonlyMap<string, string>;
  readonly account: string;
  readonly region: string;
}

/**
 * Replaces a template's references by what they stand for: Ref, Fn::GetAtt of an alarm's ARN or a topic's
 * name, Fn::Join and Fn::ImportValue, which are those that the CDK writes into alarms and dashboards.
 *
 * @throws InvariantError for a reference that can't be resolved
 */
export function resolveReferences(value: unknown, template: Template, deployed: Deployed): unknown {
  const resolve = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(resolve);
    if (typeof inner !== 'object' || inner === null) return inner;
    const entries = Object.entries(inner);
    const [name = '', operand] = entries[0] ?? [];
    const reference = Object.hasOwn(REFERENCES, name) ? REFERENCES[name] : undefined;
    if (entries.length === 1 && reference !== undefined) {
      return reference(resolve(operand), template, deployed);
    }
    return Object.fromEntries(entries.map(([key, part]) => [key, resolve(part)]));
  };
  return resolve(value);
}

type Reference = (operand: unknown, template: Template, deployed: Deployed) => unknown;

const REFERENCES: Readonly<Record<string, Reference>> = {
  Ref: refer,
  'Fn::GetAtt': attribute,
  'Fn::Join': (operand) => {
    const [separator, parts] = operand as [string, readonly unknown[]];
    return parts.map(String).join(separator);
  },
  'Fn::ImportValue': (operand, _template, { exports }) =>
    exports.get(String(operand)) ?? unresolved('Fn::ImportValue', operand),
};

function refer(operand: unknown, template: Template, deployed: Deployed): string {
  const name = String(operand);
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::AccountId': deployed.account,
    'AWS::Region': deployed.region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
  };
  // An alarm that the local cloud refused has no physical id; its name is in the template.
  const given = template.Resources?.[name]?.Properties?.AlarmName;
  if (typeof given === 'string') return given;
  return pseudo[name] ?? deployed.physicalIds.get(name) ?? unresolved('Ref', name);
}

function attribute(operand: unknown, template: Template, deployed: Deployed): string {
  const [resource = '', name] = operand as readonly string[];
  const type = template.Resources?.[resource]?.Type;
  const { region, account } = deployed;
  if (name === 'Arn' && /^AWS::CloudWatch::(Composite)?Alarm$/.test(type ?? '')) {
    const alarm = refer(resource, template, deployed);
    return `arn:aws:cloudwatch:${region}:${account}:alarm:${alarm}`;
  }
  if (name === 'TopicName') return refer(resource, template, deployed).split(':').at(-1) ?? '';
  return unresolved('Fn::GetAtt', operand);
}

function unresolved(reference: string, operand: unknown): never {
  throw new InvariantError(
    `${reference} ${JSON.stringify(operand)}: got nothing that it stands for, expected a deployed resource`,
  );
}
