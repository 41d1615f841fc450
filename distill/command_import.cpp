// retort import: a file of another program becomes a checkpoint.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "distill/checkpoint.h"
#include "distill/commands.h"
#include "distill/normalisation.h"
#include "distill/state_dict.h"
#include "distill/step.h"

namespace retort {
namespace {

struct ImportArguments {
  std::string file, net, input, out;
  Normalisation normalisation;
};

/// A network with values that no training ends with would only show much later.
void check_values(const Network& network, const std::string& path) {
  const std::string bad = first_nonfinite_value(network);
  RETORT_CHECK_AS(ErrorKind::input, bad.empty(), path, ": '", bad, "' has values that are not finite");
  const ParameterStore& store = network.parameters();
  for (std::size_t i = 0; i < store.buffer_specs().size(); ++i) {
    const std::string& name = store.buffer_specs()[i].name;
    if (!name.ends_with("running_var")) continue;
    const std::vector<float> variances = store.read_buffer(i);
    const bool possible = std::all_of(variances.begin(), variances.end(), [](float v) { return v >= 0; });
    RETORT_CHECK_AS(ErrorKind::input, possible, path, ": '", name, "' has a negative variance");
  }
}

void import_command(const ImportArguments& a) {
  const TensorFile from = read_safetensors(a.file);
  const NetworkFormat format = format_of(from, a.file, a.net, a.input);
  const auto network = make_network(format.net, format.input, format.classes);
  match_state_dict(from, a.file, *network);  // before any memory is made for what a file only claims
  auto seen = normalisation_of(from, a.file, format.input.channels);
  if (!a.normalisation.mean.empty() || !a.normalisation.std.empty()) {
    check_normalisation(a.normalisation, format.input.channels, ErrorKind::usage, "--mean and --std");
    seen = a.normalisation;
  }

  Context context(Device::cpu, Precision::fp32);
  network->parameters().materialise(context, 0, Trainable::no);
  load_network(from, a.file, *network, false);
  check_values(*network, a.file);
  TensorFile to;
  add_network(to, *network, false);
  if (seen) add_normalisation(to, *seen);
  write_safetensors(a.out, to);
  std::printf("wrote %s: %s, %ld parameters, %d classes, images of %s normalised %s\n", a.out.c_str(),
              network->name().c_str(), static_cast<long>(network->parameters().trainable_count()), network->classes(),
              to_text(network->input()).c_str(),
              seen ? ("with " + to_text(*seen)).c_str() : "as their data set says (no --mean, --std)");
}

}  // namespace

void add_import_command(CLI::App& app) {
  auto a = std::make_shared<ImportArguments>();
  CLI::App* command = app.add_subcommand("import", "Make a checkpoint of a PyTorch state dict in a safetensors file");
  command->add_option("file", a->file, "safetensors file (docs/exchange.md makes one of a .pth)")->required();
  command->add_option("--out", a->out, "the checkpoint, for evaluate, predict, distill --teacher, --init")->required();
  command->add_option("--net", a->net, "network (retort info --nets), for a file that does not say it");
  command
      ->add_option("--mean", a->normalisation.mean,
                   "what images were normalised with, as PyTorch's ToTensor and "
                   "Normalize count: one value a channel, with commas [default: the data set's]")
      ->delimiter(',');
  command->add_option("--std", a->normalisation.std, "likewise the standard deviation")->delimiter(',');
  command->add_option("--input", a->input, "image format [default: 32x32 and the channels of the file; a LeNet's own]");
  command->callback([a] { import_command(*a); });
}

}  // namespace retort
