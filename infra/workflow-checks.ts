/**
 * Every workflow of a stack against the rules of its language: a state that leads nowhere fails the synthesis and not an
 * execution months later. A plug-in like the rule packs, so that its findings stand in the same report.
 */
import { readFileSync } from 'node:fs';
import validateDefinition from 'asl-validator';
import type { IPolicyValidationContext, IPolicyValidationPlugin, PolicyValidationPluginReport, PolicyViolation } from 'aws-cdk-lib';
import * as z from 'zod';

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.object({ DefinitionString: z.unknown().optional() }).optional() }),
  ),
});

/** In place of an ARN that is known only when it is deployed. */
const SOME_ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:some';

export class WorkflowChecks implements IPolicyValidationPlugin {
  readonly name = 'Workflows';

  validate({ templatePaths }: IPolicyValidationContext): PolicyValidationPluginReport {
    const violations = templatePaths.flatMap((templatePath) =>
      workflowFaults(JSON.parse(readFileSync(templatePath, 'utf8'))).map(({ resourceLogicalId, description }): PolicyViolation => ({
        ruleName: 'Workflow-Definition',
        severity: 'error',
        description,
        violatingResources: [{ resourceLogicalId, templatePath, locations: ['Properties/DefinitionString'] }],
      })),
    );
    return { success: violations.length === 0, violations };
  }
}

interface WorkflowFault {
  readonly resourceLogicalId: string;
  readonly description: string;
}

export function workflowFaults(template: unknown): WorkflowFault[] {
  return Object.entries(templateSchema.parse(template).Resources)
    .filter(([, { Type }]) => Type === 'AWS::StepFunctions::StateMachine')
    .flatMap(([resourceLogicalId, { Properties }]) => {
      const description = definitionFault(textOf(Properties?.DefinitionString));
      return description === null ? [] : [{ resourceLogicalId, description }];
    });
}

function definitionFault(text: string): string | null {
  let definition: object;
  try {
    definition = JSON.parse(text) as object;
  } catch (error) {
    return `the definition is not JSON: ${(error as Error).message}`;
  }
  const { isValid, errorsText } = validateDefinition(definition);
  return isValid ? null : errorsText('; ');
}

/** A definition as CloudFormation would put it together. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref: ref, 'Fn::Join': join } = (value ?? {}) as { Ref?: string; 'Fn::Join'?: [string, unknown[]] };
  if (join !== undefined) return join[1].map((part) => textOf(part)).join(join[0]);
  return ref?.startsWith('AWS::') === true ? 'aws' : SOME_ARN;
}
