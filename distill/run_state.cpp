#include "distill/run_state.h"

#include <nlohmann/json.hpp>

#include "kernels/error.h"

namespace retort {
namespace {

using nlohmann::json;

/// The fields of a StepState that outlive a step.
template <typename State, typename Visitor>
void visit_counters(State& s, Visitor&& visit) {
  visit("step", s.step);
  visit("loss_sum", s.loss_sum);
  visit("error_sum", s.error_sum);
  visit("rows", s.rows);
  visit("correct", s.correct);
  visit("participants", s.participants);
  visit("mixtures", s.mixtures);
  visit("steps_applied", s.steps_applied);
  visit("steps_without_participants", s.steps_without_participants);
  visit("skipped", s.skipped);
  visit("skipped_in_a_row", s.skipped_in_a_row);
}

template <typename State, typename Visitor>
void visit_scalars(State& s, Visitor&& visit) {
  visit("epoch", s.epoch);
  visit("batch", s.batch);
  visit("batches", s.batches);
  visit("batches_since_step", s.batches_since_step);
  visit("regulation", s.regulation);
  visit("skipped", s.skipped);
  visit("phases", s.phases);
  visit("last", s.last);
  visit("best", s.best);
  visit("best_epoch", s.best_epoch);
  visit("participants", s.participants);
  visit("scored", s.scored);
  visit("participants_by_class", s.participants_by_class);
  visit_fields(s.ledger, visit);
  visit("threads", s.threads);
  visit("isa", s.isa);
}

template <typename State, typename Walk>
json written(State& state, Walk walk) {
  json object;
  walk(state, [&](const char* name, const auto& value) { object[name] = value; });
  return object;
}

template <typename State, typename Walk>
void read(const json& object, State& state, Walk walk) {
  walk(state, [&](const char* name, auto& value) { object.at(name).get_to(value); });
}

const auto counters = [](auto& state, auto visit) { visit_counters(state, visit); };
const auto scalars = [](auto& state, auto visit) { visit_scalars(state, visit); };

}  // namespace

void add_run_state(TensorFile& file, const RunState& state) {
  json object = written(state, scalars);
  object["totals"] = written(state.totals, counters);
  object["training"] = written(state.training, counters);
  file.metadata["run_state"] = object.dump();
  file.tensors["retort/entered"] = FileTensor::of(state.entered, {static_cast<std::int64_t>(state.entered.size())});
  file.tensors["retort/judged"] = FileTensor::of(state.judged, {static_cast<std::int64_t>(state.judged.size())});
  file.tensors["retort/queue"] = FileTensor::of(state.queue, {static_cast<std::int64_t>(state.queue.size())});
  file.tensors["retort/counts"] =
      FileTensor::of(state.significance, {static_cast<std::int64_t>(state.significance.size())});
}

RunState run_state_of(const TensorFile& file, const std::string& path) {
  const auto found = file.metadata.find("run_state");
  RETORT_CHECK_AS(ErrorKind::input, found != file.metadata.end(), path, ": not a checkpoint of a run, cannot resume");
  RunState state;
  try {
    const json object = json::parse(found->second);
    read(object, state, scalars);
    read(object.at("totals"), state.totals, counters);
    read(object.at("training"), state.training, counters);
  } catch (const json::exception& error) {
    fail(ErrorKind::input, text(path, ": damaged run state: ", error.what()));
  }
  const auto integers = [&](const char* name) {
    RETORT_CHECK_AS(ErrorKind::input, file.has(name), path, ": no tensor '", name, "'");
    return file.at(name).to_integers();
  };
  const auto counts = integers("retort/counts"), queue = integers("retort/queue"), entered = integers("retort/entered"),
             judged = integers("retort/judged");
  const auto as_many = [&](const char* name, std::size_t samples) {
    RETORT_CHECK_AS(ErrorKind::input, samples == counts.size(), path, ": '", name, "' has ", samples,
                    " samples, 'retort/counts' ", counts.size());
  };
  as_many("retort/entered", entered.size());
  as_many("retort/judged", judged.size());
  for (const std::int64_t sample : queue) {
    RETORT_CHECK_AS(ErrorKind::input, sample >= 0 && sample < static_cast<std::int64_t>(counts.size()), path,
                    ": 'retort/queue' holds sample ", sample, " of ", counts.size());
  }
  state.significance.assign(counts.begin(), counts.end());
  state.queue.assign(queue.begin(), queue.end());
  state.entered.assign(entered.begin(), entered.end());
  state.judged.assign(judged.begin(), judged.end());
  return state;
}

}  // namespace retort
