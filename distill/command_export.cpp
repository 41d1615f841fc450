// retort export: a checkpoint for PyTorch or for an ONNX runtime.
#include <cstdio>
#include <memory>

#include "distill/checkpoint.h"
#include "distill/commands.h"
#include "distill/normalisation.h"
#include "distill/state_dict.h"
#include "distill/version.h"
#include "engine/atomic_file.h"
#include "nets/onnx/model.h"
#include "nets/published_names.h"

namespace retort {
namespace {

struct ExportArguments {
  std::string checkpoint, net, to, names = "retort", out;
  bool fold = false, normalise = false;
  Normalisation normalisation;
};

/// What a reader of the file has to know, in either format.
std::map<std::string, std::string> description(const Network& network, const std::optional<Normalisation>& seen) {
  std::map<std::string, std::string> words{
      {"net", network.name()}, {"classes", std::to_string(network.classes())}, {"input", to_text(network.input())}};
  if (seen) {
    words["mean"] = to_text(seen->mean);
    words["std"] = to_text(seen->std);
  }
  return words;
}

/// How images have to come, in words.
std::string images(const Network& network, const std::optional<Normalisation>& seen, bool normalises) {
  const std::string format =
      text("images N,", network.input().channels, ",", network.input().height, ",", network.input().width);
  if (normalises) return format + " of pixels / 255";
  return format +
         (seen ? " normalised with " + to_text(*seen) : " normalised as in training (the file does not say how)");
}

void export_safetensors(const ExportArguments& a, const Network& network, const std::optional<Normalisation>& seen) {
  TensorFile own, to;
  add_network(own, network, false);
  for (auto& [name, tensor] : own.tensors) {
    to.tensors[published_name(network.name(), name, a.names)] = std::move(tensor);
  }
  to.metadata = description(network, seen);
  to.metadata["format"] = "pt";
  write_safetensors(a.out, to);
  std::printf("wrote %s: %s, %zu tensors under the names of %s, %s\n", a.out.c_str(), network.name().c_str(),
              to.tensors.size(), a.names.c_str(), images(network, seen, false).c_str());
}

void export_onnx(const ExportArguments& a, Network& network, Context& context,
                 const std::optional<Normalisation>& seen) {
  OnnxOptions options;
  options.producer_version = versions().retort;
  options.metadata = description(network, seen);
  if (a.normalise) {
    options.mean = seen->mean;
    options.std = seen->std;
  }
  options.metadata["images"] = images(network, seen, a.normalise);
  if (a.fold) network.fold(context);
  const std::string bytes = onnx_model(network, options);
  write_file_atomically(a.out, bytes);
  std::printf("wrote %s: %s%s, %s\n", a.out.c_str(), network.name().c_str(),
              a.fold ? " without batch norm where it folds" : "", options.metadata["images"].c_str());
}

void export_command(const ExportArguments& a) {
  const bool onnx = a.to == "onnx";
  RETORT_CHECK(onnx || (!a.fold && !a.normalise), "--fold and --normalise are for --to onnx");
  RETORT_CHECK(!onnx || a.names == "retort", "--names is for --to safetensors");
  if (onnx) require_onnx();

  const std::string path = checkpoint_path(a.checkpoint);
  const TensorFile from = read_safetensors(path);
  const NetworkFormat format = format_of(from, path, a.net, "");
  const auto network = make_network(format.net, format.input, format.classes);
  match_state_dict(from, path, *network);  // before any memory is made for what a file only claims
  auto seen = normalisation_of(from, path, format.input.channels);
  if (!a.normalisation.mean.empty() || !a.normalisation.std.empty()) {
    check_normalisation(a.normalisation, format.input.channels, ErrorKind::usage, "--mean and --std");
    RETORT_CHECK(!seen || *seen == a.normalisation, "--mean, --std: ", path, " says ", to_text(*seen));
    seen = a.normalisation;
  }
  RETORT_CHECK_AS(ErrorKind::input, !a.normalise || seen, path,
                  ": does not say how its images are normalised; --normalise needs --mean and --std");

  Context context(Device::cpu, Precision::fp32);
  network->parameters().materialise(context, 0, Trainable::no);
  load_network(from, path, *network, false);
  if (onnx) return export_onnx(a, *network, context, seen);
  export_safetensors(a, *network, seen);
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto a = std::make_shared<ExportArguments>();
  CLI::App* command = app.add_subcommand("export", "Write a checkpoint for PyTorch (safetensors) or ONNX");
  command->add_option("--checkpoint", a->checkpoint, "run folder (its last checkpoint) or safetensors file")
      ->required();
  command->add_option("--to", a->to, "safetensors or onnx")->required()->check(CLI::IsMember({"safetensors", "onnx"}));
  command->add_option("--out", a->out, "the file")->required();
  command->add_option("--net", a->net, "network, for files that do not say");
  command
      ->add_option("--names", a->names,
                   "safetensors: whose definition shall load it: retort (its checkpoints' names, which are those of "
                   "the others but for resnet18), repdistiller, mdistiller, torchvision")
      ->check(CLI::IsMember({"retort", "repdistiller", "mdistiller", "torchvision"}));
  command->add_flag("--fold", a->fold, "onnx: batch norm folded into the convolutions before it");
  command->add_flag("--normalise", a->normalise,
                    "onnx: the model takes pixels / 255 and normalises them itself, as the checkpoint says");
  command
      ->add_option("--mean", a->normalisation.mean,
                   "for a checkpoint that does not say it: one value a channel, with commas")
      ->delimiter(',');
  command->add_option("--std", a->normalisation.std, "likewise the standard deviation")->delimiter(',');
  command->callback([a] { export_command(*a); });
}

}  // namespace retort
