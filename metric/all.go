package metric

// The names of the metrics: columns in machine-readable reports.
const (
	Latency             = "latency_s"
	LatencyFromSchedule = "latency_from_schedule_s"
	TTFT                = "ttft_s"
	TTFTFromSchedule    = "ttft_from_schedule_s"
	Slip                = "send_slip_s"
	TTFA                = "ttfa_s"
	TokenRate           = "tokens_per_second"
	EndToEndTokenRate   = "e2e_tokens_per_second"
	Prefill             = "prefill_tokens_per_second"
	PrefillMeasured     = "prefill_measured_tokens_per_second"
	TPOT                = "tpot_s"
	InterChunkMean      = "inter_chunk_mean_s"
	InterChunkP50       = "inter_chunk_p50_s"
	InterChunkP99       = "inter_chunk_p99_s"
	InterChunkMax       = "inter_chunk_max_s"
	ServerPrefill       = "server_prefill_tps"
	ServerDecode        = "server_decode_tps"
	ServerPeakMemory    = "server_peak_memory_bytes"
	MemoryBefore        = "memory_before_bytes"
	MemoryLoaded        = "memory_loaded_bytes"
	MemoryPeak          = "memory_peak_bytes"
	MemoryModel         = "memory_model_bytes"
	MemoryInference     = "memory_inference_bytes"
	MemoryAdditional    = "memory_additional_bytes"
	GPUMemoryBefore     = "gpu_memory_before_bytes"
	GPUMemoryLoaded     = "gpu_memory_loaded_bytes"
	GPUMemoryPeak       = "gpu_memory_peak_bytes"
	Throughput          = "throughput_tokens_per_second"
	RequestRate         = "requests_per_second"
	Energy              = "energy_j"
	EnergyAboveIdle     = "energy_above_idle_j"
	EnergyPrefill       = "energy_prefill_j"
	EnergyDecode        = "energy_decode_j"
	EnergyShare         = "energy_share_per_token_j"
	EnergyPerToken      = "energy_per_token_j"
	LoadTime            = "load_s"
	DownloadTime        = "download_s"

	DecodeCeiling  = "decode_ceiling_tokens_per_second"
	ShareOfCeiling = "share_of_ceiling"

	WallTime             = "wall_s"
	Delivered            = "delivered_concurrency"
	CellMemoryPeak       = "memory_cell_peak_bytes"
	CellMemoryInference  = "memory_cell_inference_bytes"
	CellMemoryAdditional = "memory_cell_additional_bytes"
	CellGPUMemoryPeak    = "gpu_memory_cell_peak_bytes"

	CellEnergy                  = "energy_cell_j"
	CellEnergyAboveIdlePerToken = "energy_above_idle_per_token_j"
)

// All is every metric, in the order of reports.
var All = []Metric{
	{
		Name: Latency, Title: "Latency", Unit: Seconds, Better: Lower, Value: latency,
		Formula: "done − sent: from just before the request is started to the first finish reason at or after its last output event (else that event); a trailing usage event, [DONE] and the close do not count",
		Needs:   "an answer that came to its end",
	},
	{
		Name: LatencyFromSchedule, Title: "Latency from schedule", Unit: Seconds, Better: Lower, Value: latencyFromSchedule,
		Formula: "done − scheduled: counts the time that a request waited because the harness was behind its plan; equal to latency in a closed loop",
		Needs:   "an answer that came to its end",
	},
	{
		Name: TTFT, Title: "TTFT", Unit: Seconds, Better: Lower, Value: ttft,
		Formula: "time to first token: first event with output of any channel (content, reasoning, tool call) − sent; a role-only event does not count",
		Needs:   "one output event",
	},
	{
		Name: TTFTFromSchedule, Title: "TTFT from schedule", Unit: Seconds, Better: Lower, Value: ttftFromSchedule,
		Formula: "first event with output − scheduled; equal to TTFT in a closed loop",
		Needs:   "one output event",
	},
	{
		Name: Slip, Title: "Send slip", Unit: Seconds, Better: Lower, Value: slip, OpenLoop: true,
		Formula: "sent − scheduled: how much later than planned a request of an open loop was sent",
		Needs:   "an open loop",
	},
	{
		Name: TTFA, Title: "TTFA", Unit: Seconds, Better: Lower, Value: ttfa,
		Formula: "time to first answer token: first event with output that is not reasoning − sent",
		Needs:   "one output event that is not reasoning",
	},
	{
		Name: TokenRate, Title: "Tokens/s", Unit: TokensPerSecond, Better: Higher, CountsOutput: true, Value: tokensPerSecond,
		Formula: "(n − n₁) / (last token − first token): n = output tokens that were streamed (all, less reasoning that was counted and not sent), n₁ = tokens that came with the first output event (n / output events, at least 1; counted for each event of the same read); prefill is not in it",
		Needs:   "the number of output tokens, and at least two output events at different instants",
	},
	{
		Name: EndToEndTokenRate, Title: "End-to-end tokens/s", Unit: TokensPerSecond, Better: Higher, CountsOutput: true, Value: endToEndTokensPerSecond,
		Formula: "output tokens / latency; prefill is in it",
		Needs:   "the number of output tokens, and an answer that came to its end",
	},
	{
		Name: Prefill, Title: "Prefill tokens/s (estimate)", Unit: TokensPerSecond, Better: Higher, Value: prefillTokensPerSecond,
		Formula: "(prompt tokens − cached prompt tokens) / TTFT, an estimate: TTFT also holds the network, the queue and the first token's own time; tokens not reported as cached count as uncached",
		Needs:   "the number of prompt tokens, at least 5 % of them not cached, and one output event",
	},
	{
		Name: PrefillMeasured, Title: "Prefill tokens/s (measured)", Unit: TokensPerSecond, Better: Higher, Value: prefillMeasured,
		Formula: "prompt tokens that were processed / (prefill end − prefill start), by when the engine's own news of its prefill came: neither the queue nor the first token's own time is in it",
		Needs:   "an engine that tells when its prefill begins and ends, at different instants",
	},
	{
		Name: TPOT, Title: "TPOT", Unit: Seconds, Better: Lower, CountsOutput: true, Value: tpot,
		Formula: "time per output token: (last token − first token) / (n − n₁), the inverse of tokens/s; the first token is not in it",
		Needs:   "as tokens/s",
	},
	{
		Name: InterChunkMean, Title: "Inter-chunk mean", Unit: Seconds, Better: Lower, Value: interChunkMean,
		Formula: "mean gap between one output event and the next of the request",
		Needs:   "two output events",
	},
	{
		Name: InterChunkP50, Title: "Inter-chunk p50", Unit: Seconds, Better: Lower, Value: interChunkQuantile(0.50),
		Formula: "median gap between one output event and the next of the request",
		Needs:   "two output events",
	},
	{
		Name: InterChunkP99, Title: "Inter-chunk p99", Unit: Seconds, Better: Lower, Value: interChunkQuantile(0.99),
		Formula: "0.99-quantile (type 7) of the gaps between output events of the request, however few; with fewer than 100 gaps it lies between the two longest",
		Needs:   "two output events",
	},
	{
		Name: InterChunkMax, Title: "Inter-chunk max", Unit: Seconds, Better: Lower, Value: interChunkMax,
		Formula: "longest gap between one output event and the next of the request",
		Needs:   "two output events",
	},
	{
		Name: ServerPrefill, Title: "Server prefill tokens/s", Unit: TokensPerSecond, Better: Higher, Value: serverPrefill,
		Formula: "prompt tokens per second as the engine itself reports it, by its own definition",
		Needs:   "an engine that reports it; 0 is no report",
	},
	{
		Name: ServerDecode, Title: "Server decode tokens/s", Unit: TokensPerSecond, Better: Higher, Value: serverDecode,
		Formula: "output tokens per second as the engine itself reports it, by its own definition",
		Needs:   "an engine that reports it; 0 is no report (exo's of a single token)",
	},
	{
		Name: ServerPeakMemory, Title: "Server's own peak memory", Unit: Bytes, Better: Lower, Value: serverPeakMemory,
		Formula: "greatest memory as the engine itself reports it with an answer, by its own definition: exo's is MLX's peak since the warm-up, of the runner of rank 0 only, less the 7.37 % that exo says too much",
		Needs:   "an engine that reports it; 0 is no report",
	},
	{
		Name: MemoryPeak, Title: "Memory peak", Unit: Bytes, Better: Lower,
		Formula: "greatest reading while the request was under way, the last reading before it was sent included",
		Needs:   "a reading during or before the request",
	},
	{
		Name: MemoryInference, Title: "Inference memory", Unit: Bytes, Better: Lower,
		Formula: "memory peak − memory loaded, and GPU memory peak − GPU memory loaded where GPUs have memory of their own: what answering takes on top",
		Needs:   "both",
	},
	{
		Name: MemoryAdditional, Title: "Additional memory", Unit: Bytes, Better: Lower,
		Formula: "memory peak − memory before, and GPU memory peak − GPU memory before where GPUs have memory of their own = model memory + inference memory",
		Needs:   "both, and of GPUs that were read theirs",
	},
	{
		Name: GPUMemoryPeak, Title: "GPU memory peak", Unit: Bytes, Better: Lower,
		Formula: "greatest reading of GPU memory while the request was under way, the last reading before it was sent included, summed over the GPUs: that of the engine's processes, or where the driver does not tell that of the devices, whoever uses it",
		Needs:   "a GPU of this host that can be read, and an engine whose processes run here",
	},
	{
		Name: Energy, Title: "Energy", Unit: Joules, Better: Lower,
		Formula: "energy over [sent, done] by the widest source of power that is measured (wall, node, sum of parts, package, GPU), else the widest estimate; of a counter the difference with interpolated ends, of powers the integral by trapezoids with interpolated ends; it is of all that the source counts, whoever uses it, so requests under way together are each charged with all of it",
		Needs:   "a meter whose readings cover 95 % of the time, and a time no shorter than the meter's step",
	},
	{
		Name: EnergyAboveIdle, Title: "Energy above idle", Unit: Joules, Better: Lower,
		Formula: "energy − power of the idle machine before the run × latency",
		Needs:   "as energy, and the power of the idle machine",
	},
	{
		Name: EnergyPrefill, Title: "Prefill energy", Unit: Joules, Better: Lower,
		Formula: "as energy, over [sent, first token]: prefill, and what waiting there was before it",
		Needs:   "as energy, of that part of the request: a TTFT no shorter than the meter's step",
	},
	{
		Name: EnergyDecode, Title: "Decode energy", Unit: Joules, Better: Lower,
		Formula: "as energy, over [first token, done]",
		Needs:   "as energy, of that part of the request",
	},
	{
		Name: EnergyShare, Title: "Energy per token of a request", Unit: Joules, Better: Lower, CountsOutput: true,
		Formula: "energy of the request / its output tokens, the power at each instant split evenly among the OK requests under way",
		Needs:   "as energy, and the number of output tokens",
	},
	{
		Name: WallTime, Title: "Wall time", Unit: Seconds, Better: Lower, OfCell: wallTime,
		Formula: "from the first sent to the last done of the cell's measured requests, summed over its blocks",
		Needs:   "one OK request",
	},
	{
		Name: Delivered, Title: "Requests under way", Unit: Requests, Better: Higher, OfCell: delivered,
		Formula: "time that the cell's measured requests were under way, failed ones included, summed / wall time: a closed loop wants it to be its concurrency",
		Needs:   "one OK request",
	},
	{
		Name: Throughput, Title: "Throughput", Unit: TokensPerSecond, Better: Higher, CountsOutput: true, OfCell: throughput,
		Formula: "output tokens of all OK requests of the cell / wall time",
		Needs:   "the number of output tokens of every OK request, counted in one way",
	},
	{
		Name: RequestRate, Title: "Requests/s", Unit: RequestsPerSecond, Better: Higher, OfCell: requestRate,
		Formula: "OK requests of the cell / wall time",
		Needs:   "one OK request",
	},
	{
		Name: LoadTime, Title: "Load time", Unit: Seconds, Better: Lower, OfCell: loadTime,
		Formula: "from when the placement was asked for (else the first stage known) until the model is ready, less the download time; of several loads the median",
		Needs:   "an engine whose loads are driven by exobench",
	},
	{
		Name: DownloadTime, Title: "Download time", Unit: Seconds, Better: Lower, OfCell: downloadTime,
		Formula: "from the first sign of a download until the next stage began; of several loads the median",
		Needs:   "an engine whose loads are driven by exobench; 0 is no download",
	},
	{
		Name: MemoryBefore, Title: "Memory before", Unit: Bytes, Better: Lower, OfCell: memoryBefore,
		Formula: "last reading of the engine's memory before the model was loaded, in the step that the request belongs to; of a cell: in that of the request with the greatest peak",
		Needs:   "a reading from before the load",
	},
	{
		Name: MemoryLoaded, Title: "Memory loaded", Unit: Bytes, Better: Lower, OfCell: memoryLoaded,
		Formula: "last reading with the model loaded and no request sent yet, in the step that the request belongs to; of a cell: in that of the request with the greatest peak",
		Needs:   "a reading from after the load",
	},
	{
		Name: CellMemoryPeak, Title: "Memory peak of the cell", Unit: Bytes, Better: Lower, OfCell: memoryPeak,
		Formula: "greatest memory peak of the cell's OK requests",
		Needs:   "as memory peak",
	},
	{
		Name: MemoryModel, Title: "Model memory", Unit: Bytes, Better: Lower, OfCell: memoryModel,
		Formula: "memory loaded − memory before, and the same of GPUs with memory of their own: what the loaded model takes",
		Needs:   "both",
	},
	{
		Name: CellMemoryInference, Title: "Inference memory of the cell", Unit: Bytes, Better: Lower, OfCell: memoryInference,
		Formula: "memory peak of the cell − memory loaded, and the same of GPUs with memory of their own",
		Needs:   "both",
	},
	{
		Name: CellMemoryAdditional, Title: "Additional memory of the cell", Unit: Bytes, Better: Lower, OfCell: memoryAdditional,
		Formula: "memory peak of the cell − memory before, and the same of GPUs with memory of their own",
		Needs:   "both",
	},
	{
		Name: GPUMemoryBefore, Title: "GPU memory before", Unit: Bytes, Better: Lower, OfCell: gpuMemoryBefore,
		Formula: "as memory before, of GPU memory",
		Needs:   "as GPU memory peak",
	},
	{
		Name: GPUMemoryLoaded, Title: "GPU memory loaded", Unit: Bytes, Better: Lower, OfCell: gpuMemoryLoaded,
		Formula: "as memory loaded, of GPU memory",
		Needs:   "as GPU memory peak",
	},
	{
		Name: CellGPUMemoryPeak, Title: "GPU memory peak of the cell", Unit: Bytes, Better: Lower, OfCell: gpuMemoryPeak,
		Formula: "GPU memory peak of the OK request that has the greatest memory, that of GPUs with memory of their own included",
		Needs:   "as GPU memory peak",
	},
	{
		Name: EnergyPerToken, Title: "Energy per token", Unit: Joules, Better: Lower, CountsOutput: true, OfCell: energyPerToken,
		Formula: "energy over the wall time of the cell / output tokens of all its OK requests",
		Needs:   "as energy, for the whole wall time, and as throughput",
	},
	{
		Name: DecodeCeiling, Title: "Decode ceiling", Unit: TokensPerSecond, Better: Higher, OfCell: decodeCeiling,
		Formula: "bandwidth of the memory that holds the model / bytes read for a token of one request: the weights that each token needs, and the keys and values of the positions before it (prompt tokens + half of the output tokens, the mean over the OK requests)",
		Needs:   "the model's file, or its shape and the size of its weights; a bandwidth that was measured, published or given; a model that no cache of the CPU holds",
	},
	{
		Name: ShareOfCeiling, Title: "Share of the ceiling", Unit: Ratio, Better: Higher, OfCell: shareOfCeiling,
		Formula: "median tokens/s of a request / decode ceiling; with several requests under way it is each request's, not that of all together",
		Needs:   "both",
	},
	{
		Name: CellEnergy, Title: "Energy of the cell", Unit: Joules, Better: Lower, OfCell: energyOfCell,
		Formula: "energy over the wall time of the cell, by the source of energy",
		Needs:   "as energy, for the whole wall time",
	},
	{
		Name: CellEnergyAboveIdlePerToken, Title: "Energy above idle per token", Unit: Joules, Better: Lower, CountsOutput: true, OfCell: energyAboveIdlePerToken,
		Formula: "(energy of the cell − power of the idle machine before the run × wall time) / output tokens of all its OK requests",
		Needs:   "as energy per token, and the power of the idle machine",
	},
}
