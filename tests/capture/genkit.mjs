// Runs Genkit and sends its spans to a collector. It is run by record_genkit.py as `node --input-type=module - < genkit.mjs`,
// with MODEL_URL, OTLP_URL and CASE in the environment.

import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { Resource } from '@opentelemetry/resources';
import { SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import openAI from '@genkit-ai/compat-oai/openai';
import { genkit, z } from 'genkit';
import { enableTelemetry, flushTracing } from 'genkit/tracing';

Error.stackTraceLimit = 0; // stack traces name the directories of the machine
const { MODEL_URL, OTLP_URL, CASE } = process.env;

await enableTelemetry({
  autoDetectResources: false,
  resource: new Resource({ 'service.name': 'shop-assistant', 'deployment.environment.name': 'test' }),
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${OTLP_URL}/v1/traces` }))],
});

const ai = genkit({ plugins: [openAI({ apiKey: 'not-needed', baseURL: `${MODEL_URL}/v1`, maxRetries: 0 })] });
const lookUpOrder = ai.defineTool(
  { name: 'look_up_order', description: 'Look up an order.', inputSchema: z.object({ order_id: z.string() }), outputSchema: z.string() },
  async ({ order_id }) => `${order_id}: packed`,
);
const shelf = ai.defineRetriever({ name: 'shelf' }, async () => ({
  documents: [{ content: [{ text: 'Parcels ship daily.' }], metadata: { source: 'faq' } }],
}));
const system = 'You are the assistant of a small shop.';
const prompt = 'Where is my order A-1001?';
const model = openAI.model('gpt-4o');

const cases = {
  agent: ai.defineFlow('answer', async () => (await ai.generate({ model, system, prompt, tools: [lookUpOrder], config: { temperature: 0.2 } })).text),
  stream: ai.defineFlow('stream', async () => (await ai.generateStream({ model, prompt }).response).text),
  retrieve: ai.defineFlow('retrieve', async () => (await ai.retrieve({ retriever: shelf, query: prompt })).length),
  embed: ai.defineFlow('embed', async () => (await ai.embed({ embedder: openAI.embedder('text-embedding-3-small'), content: prompt })).length),
  failure: ai.defineFlow('failure', async () => (await ai.generate({ model: openAI.model('gpt-4o-broken'), prompt })).text),
};
try {
  await cases[CASE]();
} catch (error) {
  if (CASE !== 'failure') throw error;
}
await flushTracing();
process.exit(0);
