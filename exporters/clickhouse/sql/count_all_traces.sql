-- How many traces a project has. Without FINAL it takes the same time however many parts there are.
SELECT uniqExact(reinterpretAsUInt128(unhex(trace_id))) AS matches
FROM traces
WHERE project = {project:String}
