import type { Template, TemplateResource } from '../cloudwatch/template.ts';

type Resources = Readonly<Record<string, TemplateResource>>;

/** One change of a synthesised template that a local cloud needs. */
export interface TemplateChange {
  readonly what: string;
  readonly why: string;
  readonly apply: (resources: Resources) => Resources;
}

/** Everything that differs between the template that AWS gets and the one that a local cloud gets. */
export const TEMPLATE_CHANGES: readonly TemplateChange[] = [
  {
    what: 'event source mappings are switched off',
    why: 'local clouds have mappings of their own that lose what a partial response reports and never give up; src/mapping takes their place',
    apply: (resources) =>
      mapValues(resources, (resource) =>
        resource.Type === 'AWS::Lambda::EventSourceMapping'
          ? { ...resource, Properties: { ...resource.Properties, Enabled: false } }
          : resource,
      ),
  },
  {
    what: 'composite alarms are taken out',
    why: 'the emulator refuses the whole template because of one; src/local/cloudwatch judges them from the template',
    apply: (resources) =>
      without(resources, ({ Type }) => Type === 'AWS::CloudWatch::CompositeAlarm'),
  },
  {
    what: 'alarms on expressions are taken out',
    why: 'the emulator refuses metric math; src/local/cloudwatch judges them from the template',
    apply: (resources) =>
      without(
        resources,
        ({ Type, Properties }) =>
          Type === 'AWS::CloudWatch::Alarm' && 'Metrics' in (Properties ?? {}),
      ),
  },
];

/** The template that a local cloud gets. */
export function localTemplate(template: string): string {
  const document: Template = JSON.parse(template);
  const Resources = TEMPLATE_CHANGES.reduce(
    (resources, { apply }) => apply(resources),
    document.Resources ?? {},
  );
  return JSON.stringify({ ...document, Resources }, undefined, 1);
}

function mapValues(
  resources: Resources,
  change: (resource: TemplateResource) => TemplateResource,
): Resources {
  const changed = Object.entries(resources).map(([id, resource]) => [id, change(resource)]);
  return Object.fromEntries(changed);
}

function without(resources: Resources, out: (resource: TemplateResource) => boolean): Resources {
  return Object.fromEntries(Object.entries(resources).filter(([, resource]) => !out(resource)));
}
