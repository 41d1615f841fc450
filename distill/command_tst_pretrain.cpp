// retort tst-pretrain: TST's first stage.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "distill/commands.h"
#include "distill/run_setup.h"
#include "distill/tst/imitation.h"

namespace retort {
namespace {

struct PretrainArguments {
  std::string data, out, device = "auto";
  int threads = 0, limit = 0, images = 500;
  ImitationOptions imitation;
};

void pretrain_command(const PretrainArguments& a) {
  use_threads(a.threads);
  const std::filesystem::path folder = std::filesystem::absolute(a.out).parent_path();
  RETORT_CHECK_AS(ErrorKind::output, std::filesystem::is_directory(folder) && !std::filesystem::is_directory(a.out), a.out,
                  ": no file can be made there");
  LoadOptions load;
  load.limit = a.limit;
  const Dataset data = load_dataset(a.data, load);
  RETORT_CHECK(data.test.count() > 0, a.data, ": has no test images to report errors on");
  Context context(device_of(a.device), Precision::fp32);
  Encoders encoders = make_encoders(data.channels);
  std::printf("%-12s %10s %10s %8s   %s\n", "operation", "unchanged", "encoder", "left",
              "mean squared errors on unseen images");
  for (const auto& encoder : encoders) {
    encoder->initialise(context, Trainable::yes);
    imitate(context, *encoder, data, a.imitation, {});
    const ImitationError error = imitation_error(context, *encoder, data, data.test, a.images);
    const OperationInfo& operation = info_of(encoder->operation());
    std::printf("%-12s %10.6f %10.6f %7.1f%%   %s\n", operation.name, error.unchanged, error.encoder,
                100 * error.share(), operation.range);
    std::fflush(stdout);
  }
  TensorFile file = to_file(encoders, data.channels);
  file.metadata["data"] = data.name;
  file.metadata["data_checksum"] = data.checksum;
  file.metadata["seed"] = std::to_string(a.imitation.seed);
  write_safetensors(a.out, file);
  std::printf("wrote %s\n", a.out.c_str());
}

}  // namespace

void add_tst_pretrain_command(CLI::App& app) {
  auto a = std::make_shared<PretrainArguments>();
  CLI::App* command =
      app.add_subcommand("tst-pretrain", "TST's first stage: encoders that imitate operations on images");
  command->add_option("--data", a->data, "data set, as for teach")->required();
  command->add_option("--out", a->out, "safetensors file for distill --method tst --encoders")->required();
  command->add_option("--geometric-epochs", a->imitation.geometric_epochs, "of each geometric encoder")
      ->check(CLI::PositiveNumber);
  command->add_option("--colour-epochs", a->imitation.colour_epochs, "of each colour encoder")
      ->check(CLI::PositiveNumber);
  command->add_option("--batch", a->imitation.batch, "batch size")->check(CLI::PositiveNumber);
  command->add_option("--lr", a->imitation.learning_rate, "AdamW's learning rate, times 0.999 after every step");
  command->add_option("--seed", a->imitation.seed, "seed of what is drawn");
  command->add_option("--limit", a->limit, "train on the first N images only");
  command->add_option("--images", a->images, "test images that errors are reported on")->check(CLI::PositiveNumber);
  command->add_option("--device", a->device, "auto, cpu or cuda");
  command->add_option("--threads", a->threads, "CPU threads; 0: all cores");
  command->callback([a] { pretrain_command(*a); });
}

}  // namespace retort
