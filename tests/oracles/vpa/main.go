// Command vpa replays usage samples through the recommender of the
// VerticalPodAutoscaler: its cluster state, its decaying histograms, its estimators
// and its post-processor are the real ones. It reads one series per line (JSON) from
// standard input and writes one answer per line to standard output. Only the feeder
// (API watches, metrics client) is left out: the samples come from the line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"

	vpaapi "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/features"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/config"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/routines"
)

// release is the version of the recommender, which the linker is told.
var release string

// Settings are recommender flags; a field that is absent keeps the flag's default.
type Settings struct {
	SafetyMarginFraction       *float64 `json:"recommendation-margin-fraction"`
	PodMinCPUMillicores        *float64 `json:"pod-recommendation-min-cpu-millicores"`
	PodMinMemoryMb             *float64 `json:"pod-recommendation-min-memory-mb"`
	TargetCPUPercentile        *float64 `json:"target-cpu-percentile"`
	LowerBoundCPUPercentile    *float64 `json:"recommendation-lower-bound-cpu-percentile"`
	UpperBoundCPUPercentile    *float64 `json:"recommendation-upper-bound-cpu-percentile"`
	TargetMemoryPercentile     *float64 `json:"target-memory-percentile"`
	LowerBoundMemoryPercentile *float64 `json:"recommendation-lower-bound-memory-percentile"`
	UpperBoundMemoryPercentile *float64 `json:"recommendation-upper-bound-memory-percentile"`
	OOMBumpUpRatio             *float64 `json:"oom-bump-up-ratio"`
	OOMMinBumpUp               *float64 `json:"oom-min-bump-up-bytes"`
	MemoryIntervalCount        *int64   `json:"memory-aggregation-interval-count"`
	RoundCPUMillicores         *int     `json:"round-cpu-millicores"`
	RoundMemoryBytes           *int     `json:"round-memory-bytes"`
	HumanizeMemory             *bool    `json:"humanize-memory"`
	ConfidenceIntervalCPU      string   `json:"confidence-interval-cpu"`
	ConfidenceIntervalMemory   string   `json:"confidence-interval-memory"`
	MemoryInterval             string   `json:"memory-aggregation-interval"`
	MemoryHalfLife             string   `json:"memory-histogram-decay-half-life"`
	CPUHalfLife                string   `json:"cpu-histogram-decay-half-life"`
	MaxAllowedCPU              string   `json:"container-recommendation-max-allowed-cpu"`
	MaxAllowedMemory           string   `json:"container-recommendation-max-allowed-memory"`
	PerVPAConfig               bool     `json:"PerVPAConfig"` // feature gate, off by default
}

// Series is one line of the input. An event is [kind, seconds, pod, container, amount]:
// c CPU millicores, m memory bytes, o OOM with the memory requested, d pod deleted,
// r report. README.md says more.
type Series struct {
	ID       int                       `json:"id"`
	Settings Settings                  `json:"settings"`
	Policy   *vpaapi.PodResourcePolicy `json:"policy"`
	Start    int64                     `json:"start"`
	Events   [][]any                   `json:"events"`
}

// Container is the recommendation of one container. Raw amounts are those of the
// estimators (millicores, bytes); the four lists are what the VPA's status would say.
type Container struct {
	Name           string            `json:"name"`
	Samples        int               `json:"samples"`
	First          *int64            `json:"first"` // seconds since the start, CPU samples only
	Last           *int64            `json:"last"`
	RawTarget      [2]*int64         `json:"rawTarget"`
	RawLower       [2]*int64         `json:"rawLower"`
	RawUpper       [2]*int64         `json:"rawUpper"`
	Target         map[string]string `json:"target"`
	LowerBound     map[string]string `json:"lowerBound"`
	UpperBound     map[string]string `json:"upperBound"`
	UncappedTarget map[string]string `json:"uncappedTarget"`
	P50            [2]float64        `json:"p50"` // plain percentiles of the histograms: cores, bytes
	P90            [2]float64        `json:"p90"`
	P95            [2]float64        `json:"p95"`
	P100           [2]float64        `json:"p100"`
}

type Report struct {
	At         int64       `json:"at"`
	Discarded  int         `json:"discarded"` // samples and OOMs refused up to here
	Containers []Container `json:"containers"`
}

type Answer struct {
	ID      int      `json:"id"`
	Reports []Report `json:"reports"`
}

const namespace, vpaName = "oracle", "vpa"

func duration(s string, to *time.Duration) {
	if s == "" {
		return
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	*to = d
}

func put[T any](from *T, to *T) {
	if from != nil {
		*to = *from
	}
}

func list(in corev1.ResourceList) map[string]string {
	out := map[string]string{}
	for k, q := range in {
		out[string(k)] = q.String()
	}
	return out
}

func raw(r model.Resources) [2]*int64 {
	var out [2]*int64
	for i, k := range []model.ResourceName{model.ResourceCPU, model.ResourceMemory} {
		if v, ok := r[k]; ok {
			n := int64(v)
			out[i] = &n
		}
	}
	return out
}

func replay(s *Series) Answer {
	c := config.DefaultRecommenderConfig()
	t := s.Settings
	put(t.SafetyMarginFraction, &c.SafetyMarginFraction)
	put(t.PodMinCPUMillicores, &c.PodMinCPUMillicores)
	put(t.PodMinMemoryMb, &c.PodMinMemoryMb)
	put(t.TargetCPUPercentile, &c.TargetCPUPercentile)
	put(t.LowerBoundCPUPercentile, &c.LowerBoundCPUPercentile)
	put(t.UpperBoundCPUPercentile, &c.UpperBoundCPUPercentile)
	put(t.TargetMemoryPercentile, &c.TargetMemoryPercentile)
	put(t.LowerBoundMemoryPercentile, &c.LowerBoundMemoryPercentile)
	put(t.UpperBoundMemoryPercentile, &c.UpperBoundMemoryPercentile)
	put(t.OOMBumpUpRatio, &c.OOMBumpUpRatio)
	put(t.OOMMinBumpUp, &c.OOMMinBumpUp)
	put(t.MemoryIntervalCount, &c.MemoryAggregationIntervalCount)
	put(t.RoundCPUMillicores, &c.RoundCPUMillicores)
	put(t.RoundMemoryBytes, &c.RoundMemoryBytes)
	put(t.HumanizeMemory, &c.HumanizeMemory)
	duration(t.ConfidenceIntervalCPU, &c.ConfidenceIntervalCPU)
	duration(t.ConfidenceIntervalMemory, &c.ConfidenceIntervalMemory)
	duration(t.MemoryInterval, &c.MemoryAggregationInterval)
	duration(t.MemoryHalfLife, &c.MemoryHistogramDecayHalfLife)
	duration(t.CPUHalfLife, &c.CpuHistogramDecayHalfLife)
	if err := features.MutableFeatureGate.SetFromMap(map[string]bool{string(features.PerVPAConfig): t.PerVPAConfig}); err != nil {
		panic(err)
	}
	global := corev1.ResourceList{}
	if t.MaxAllowedCPU != "" {
		global[corev1.ResourceCPU] = resource.MustParse(t.MaxAllowedCPU)
	}
	if t.MaxAllowedMemory != "" {
		global[corev1.ResourceMemory] = resource.MustParse(t.MaxAllowedMemory)
	}
	model.InitializeAggregationsConfig(model.NewAggregationsConfig(c.MemoryAggregationInterval,
		c.MemoryAggregationIntervalCount, c.MemoryHistogramDecayHalfLife, c.CpuHistogramDecayHalfLife,
		c.OOMBumpUpRatio, c.OOMMinBumpUp))
	recommender := logic.CreatePodResourceRecommender(logic.RecommendationConfig{
		SafetyMarginFraction:       c.SafetyMarginFraction,
		PodMinCPUMillicores:        c.PodMinCPUMillicores,
		PodMinMemoryMb:             c.PodMinMemoryMb,
		TargetCPUPercentile:        c.TargetCPUPercentile,
		LowerBoundCPUPercentile:    c.LowerBoundCPUPercentile,
		UpperBoundCPUPercentile:    c.UpperBoundCPUPercentile,
		ConfidenceIntervalCPU:      c.ConfidenceIntervalCPU,
		TargetMemoryPercentile:     c.TargetMemoryPercentile,
		LowerBoundMemoryPercentile: c.LowerBoundMemoryPercentile,
		UpperBoundMemoryPercentile: c.UpperBoundMemoryPercentile,
		ConfidenceIntervalMemory:   c.ConfidenceIntervalMemory,
	})
	format := logic.RecommendationFormat{HumanizeMemory: c.HumanizeMemory, RoundCPUMillicores: c.RoundCPUMillicores, RoundMemoryBytes: c.RoundMemoryBytes}
	capping := routines.NewCappingRecommendationProcessor(global)

	object := &vpaapi.VerticalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: vpaName},
		Spec:       vpaapi.VerticalPodAutoscalerSpec{ResourcePolicy: s.Policy},
	}
	state := model.NewClusterState(time.Hour)
	set := labels.Set{"app": "web"}
	if err := state.AddOrUpdateVpa(object, labels.SelectorFromSet(set)); err != nil {
		panic(err)
	}
	vpa := state.VPAs()[model.VpaID{Namespace: namespace, VpaName: vpaName}]

	start := time.Unix(s.Start, 0).UTC()
	answer := Answer{ID: s.ID, Reports: []Report{}}
	discarded := 0
	report := func(at int64) {
		aggregated := routines.GetContainerNameToAggregateStateMap(vpa)
		amounts := recommender.GetRecommendedPodResources(aggregated)
		status := capping.Process(object, logic.MapToListOfRecommendedContainerResources(amounts, format))
		out := Report{At: at, Discarded: discarded, Containers: []Container{}}
		for _, r := range status.ContainerRecommendations {
			a := aggregated[r.ContainerName]
			k := Container{
				Name: r.ContainerName, Samples: a.TotalSamplesCount,
				RawTarget: raw(amounts[r.ContainerName].Target), RawLower: raw(amounts[r.ContainerName].LowerBound), RawUpper: raw(amounts[r.ContainerName].UpperBound),
				Target: list(r.Target), LowerBound: list(r.LowerBound), UpperBound: list(r.UpperBound), UncappedTarget: list(r.UncappedTarget),
			}
			if !a.FirstSampleStart.IsZero() {
				first, last := a.FirstSampleStart.Unix()-s.Start, a.LastSampleStart.Unix()-s.Start
				k.First, k.Last = &first, &last
			}
			for p, to := range map[float64]*[2]float64{0.5: &k.P50, 0.9: &k.P90, 0.95: &k.P95, 1.0: &k.P100} {
				to[0], to[1] = a.AggregateCPUUsage.Percentile(p), a.AggregateMemoryPeaks.Percentile(p)
			}
			out.Containers = append(out.Containers, k)
		}
		sort.Slice(out.Containers, func(i, j int) bool { return out.Containers[i].Name < out.Containers[j].Name })
		answer.Reports = append(answer.Reports, out)
	}
	for _, e := range s.Events {
		kind, at := e[0].(string), int64(e[1].(float64))
		if kind == "r" {
			report(at)
			continue
		}
		pod := model.PodID{Namespace: namespace, PodName: e[2].(string)}
		if kind == "d" {
			state.DeletePod(pod)
			continue
		}
		id := model.ContainerID{PodID: pod, ContainerName: e[3].(string)}
		if state.GetContainer(id) == nil {
			state.AddOrUpdatePod(pod, set, corev1.PodRunning)
			if err := state.AddOrUpdateContainer(id, model.Resources{}); err != nil {
				panic(err)
			}
		}
		amount, stamp := model.ResourceAmount(int64(e[4].(float64))), start.Add(time.Duration(at)*time.Second)
		var err error
		switch kind {
		case "c", "m":
			sample := &model.ContainerUsageSampleWithKey{Container: id, ContainerUsageSample: model.ContainerUsageSample{
				MeasureStart: stamp, Usage: amount, Resource: map[string]model.ResourceName{"c": model.ResourceCPU, "m": model.ResourceMemory}[kind],
			}}
			err = state.AddSample(sample)
		case "o":
			err = state.RecordOOM(id, stamp, amount)
		default:
			panic("unknown event " + kind)
		}
		if err != nil {
			discarded++
		}
	}
	return answer
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Println(release)
		return
	}
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<28)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		s := &Series{}
		if err := json.Unmarshal(in.Bytes(), s); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		line, err := json.Marshal(replay(s))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		out.Write(line)
		out.WriteByte('\n')
	}
}
