// Runs the Vercel AI SDK, whichever version the current directory has installed, and sends its spans to a collector.
// It is run by record_ai_sdk.py as `node --input-type=module - CASE < ai_sdk.mjs`, with MODEL_URL, OTLP_URL in the environment.

import { readFileSync } from 'node:fs';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { createOpenAI } from '@ai-sdk/openai';
import { createAnthropic } from '@ai-sdk/anthropic';
import * as ai from 'ai';
import { z } from 'zod';

Error.stackTraceLimit = 0; // stack traces name the directories of the machine
const { MODEL_URL, OTLP_URL, CASE, LEGACY } = process.env;
const major = Number(JSON.parse(readFileSync('node_modules/ai/package.json')).version.split('.')[0]);

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop-assistant', 'deployment.environment.name': 'test' }),
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${OTLP_URL}/v1/traces` }))],
});
provider.register();

if (major >= 7) {
  const { OpenTelemetry, LegacyOpenTelemetry } = await import('@ai-sdk/otel');
  ai.registerTelemetry(
    LEGACY
      ? new LegacyOpenTelemetry()
      : new OpenTelemetry({ usage: true, providerMetadata: true, runtimeContext: true, embedding: true, toolChoice: true, schema: true }),
  );
}

const openai = createOpenAI({ baseURL: `${MODEL_URL}/v1`, apiKey: 'not-needed', compatibility: 'strict' });
const anthropic = createAnthropic({ baseURL: `${MODEL_URL}/v1`, apiKey: 'not-needed' });
const session = { sessionId: 'conversation-42', userId: 'user-7', tags: ['shop', 'beta'], plan: 'pro' };
const telemetry =
  major >= 7
    ? {
        telemetry: {
          functionId: 'shop-assistant',
          includeRuntimeContext: { sessionId: true, userId: true, tags: true, plan: true },
        },
        runtimeContext: session,
      }
    : { experimental_telemetry: { isEnabled: true, functionId: 'shop-assistant', metadata: session } };
const limit = count => (major >= 5 ? { maxOutputTokens: count } : { maxTokens: count });
const SYSTEM = 'You are the assistant of a small shop.';
const system = major >= 7 ? { instructions: SYSTEM } : { system: SYSTEM };
const prompt = 'Where is my order A-1001?';
const shape = z.object({ order_id: z.string() });
const tools = {
  look_up_order: ai.tool({
    description: 'Look up an order.',
    ...(major >= 5 ? { inputSchema: shape } : { parameters: shape }),
    execute: async ({ order_id }) => ({ order: order_id, status: 'packed' }),
  }),
};
const steps = major >= 5 ? { stopWhen: (ai.isStepCount ?? ai.stepCountIs)(3) } : { maxSteps: 3 };
const chat = openai.chat('gpt-4o');

const cases = {
  tools: () =>
    ai.generateText({ model: chat, ...system, prompt, tools, ...steps, temperature: 0.2, ...limit(100), ...telemetry }),
  stream: async () => {
    const result = await ai.streamText({ model: chat, ...system, prompt, ...telemetry });
    for await (const _ of result.textStream);
  },
  embed: () =>
    ai.embedMany({ model: openai.embedding('text-embedding-3-small'), values: ['order', 'parcel'], ...telemetry }),
  anthropic: () =>
    ai.generateText({ model: anthropic('claude-sonnet-4-5'), ...system, prompt, ...limit(100), ...telemetry }),
  failure: () => ai.generateText({ model: openai.chat('gpt-4o-broken'), prompt, maxRetries: 0, ...telemetry }),
};

try {
  await cases[CASE]();
} catch (error) {
  if (CASE !== 'failure') throw error;
}
await provider.forceFlush();
await provider.shutdown();
