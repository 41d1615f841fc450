// retort import and retort export, as a person uses them.
#include <limits>

#include "distill/checkpoint.h"
#include "distill/normalisation.h"
#include "nets/published_names.h"
#include "tests/distill/runs.h"
#include "tests/support/unsettle.h"

using namespace retort;
using namespace retort::test;

namespace {

const std::string data = "synthetic:train=50,test=20,classes=4";

/// A resnet8 for `data` with random values.
TensorFile checkpoint(const std::string& net = "resnet8") {
  Context context;
  const auto network = make_network(net, {32, 32, 3}, 4);
  network->parameters().materialise(context, 3, Trainable::no);
  unsettle(network->parameters());
  TensorFile file;
  add_network(file, *network, false);
  return file;
}

/// The same as another program has it.
TensorFile foreign(const std::string& net, const std::string& set, const std::string& prefix = {}) {
  TensorFile file;
  for (const auto& [name, tensor] : checkpoint(net).tensors)
    file.tensors[prefix + published_name(net, name, set)] = tensor;
  return file;
}

std::map<std::string, std::vector<std::uint8_t>> bytes_of(const TensorFile& file) {
  std::map<std::string, std::vector<std::uint8_t>> bytes;
  for (const auto& [name, tensor] : file.tensors) bytes[name] = tensor.bytes;
  return bytes;
}

}  // namespace

TEST_CASE("import: a file of another program becomes a checkpoint that every command takes") {
  const TemporaryFolder folder;
  const std::string from = folder / "pytorch.safetensors", to = folder / "teacher.safetensors";
  write_safetensors(from, foreign("resnet18", "repdistiller", "module."));
  const Finished done = check_done(retort_program({"import", from, "--net", "resnet18", "--out", to}));
  CHECK(contains(
      done.out, "wrote " + to +
                    ": resnet18, 11170884 parameters, 4 classes, images of 32x32x3 normalised as their data set says"));
  const TensorFile file = read_safetensors(to);
  CHECK(bytes_of(file) == bytes_of(checkpoint("resnet18")));
  CHECK(file.metadata.at("net") == "resnet18");
  CHECK(file.metadata.count("mean") == 0);

  // Unlike the file that it was made from, it needs no --net; and it is the same network.
  const auto evaluated = [&](const std::vector<std::string>& checkpoint) {
    std::vector<std::string> arguments{"evaluate",  "--data", data,     "--limit",     "4",
                                       "--threads", "1",      "--json", "--checkpoint"};
    arguments.insert(arguments.end(), checkpoint.begin(), checkpoint.end());
    return check_done(retort_program(arguments)).out;
  };
  CHECK(evaluated({to}) == evaluated({from, "--net", "resnet18"}));
}

TEST_CASE("import: a teacher, and the student of it") {
  const TemporaryFolder folder;
  const std::string from = folder / "pytorch.safetensors", to = folder / "teacher.safetensors";
  write_safetensors(from, foreign("resnet8", "repdistiller"));
  const Finished done = check_done(retort_program(
      {"import", from, "--net", "resnet8", "--out", to, "--mean", "0.5,0.25,-0.125", "--std", "0.25,0.2,0.5"}));
  CHECK(contains(done.out, "normalised with mean 0.5,0.25,-0.125, std 0.25,0.2,0.5\n"));
  const auto distil = [&](const std::vector<std::string>& teacher, const std::string& out) {
    std::vector<std::string> arguments{"distill", "--data",  data,         "--net",    "lenet5-half", "--epochs",
                                       "1",       "--batch", "16",         "--lr",     "0.01",        "--threads",
                                       "1",       "--out",   folder / out, "--teacher"};
    arguments.insert(arguments.end(), teacher.begin(), teacher.end());
    return retort_program(arguments);
  };
  CHECK(contains(check_done(distil({to}, "student")).out, "images normalised as " + to + " says"));
  const std::string student = folder / "student/last.safetensors";
  CHECK(*normalisation_of(read_safetensors(student), student, 3) ==
        Normalisation{{0.5F, 0.25F, -0.125F}, {0.25F, 0.2F, 0.5F}});
  // The foreign file itself does as a teacher too, if it was trained as the data set says.
  check_done(distil({from, "--teacher-net", "resnet8"}, "other"));
  check_refused(distil({from}, "none"), 3, {from, "which network"});
}

TEST_CASE("import: what does not fit, or cannot be, is refused in one line, and nothing is written") {
  const TemporaryFolder folder;
  const std::string from = folder / "bad.safetensors", to = folder / "teacher.safetensors";
  const auto refused = [&](const TensorFile& file, const std::vector<std::string>& more, int code,
                           std::vector<std::string> parts) {
    write_safetensors(from, file);
    std::vector<std::string> arguments{"import", from, "--out", to};
    arguments.insert(arguments.end(), more.begin(), more.end());
    if (code == 3) parts.push_back(from);
    check_refused(retort_program(arguments), code, parts);
    CHECK_FALSE(std::filesystem::exists(to));
  };
  const TensorFile good = foreign("resnet8", "retort");
  refused(good, {}, 3, {"which network it is", "--net"});
  refused(good, {"--net", "resnet9"}, 2, {"6n+2"});
  refused(good, {"--net", "resnet14"}, 3, {"does not fit resnet14", "'layer1.1.conv1.weight'", "It fits resnet8"});
  refused(good, {"--net", "resnet8", "--mean", "0.5,0.5,0.5"}, 2, {"--mean and --std: 3 means and 0 deviations"});
  refused(good, {"--net", "resnet8", "--mean", "0.5", "--std", "0.5"}, 2, {"1 means", "3 channels"});
  refused(good, {"--net", "resnet8", "--mean", "0,0,0", "--std", "1,0,1"}, 2, {"positive"});
  refused(good, {"--net", "resnet8", "--input", "32x32"}, 2, {"--input: '32x32'"});

  const auto changed = [&](const std::string& name, float value) {
    TensorFile file = good;
    std::vector<float> values = file.at(name).to_floats();
    values.back() = value;
    file.tensors[name] = FileTensor::of(values, file.at(name).shape);
    return file;
  };
  refused(changed("layer2.0.conv1.weight", std::numeric_limits<float>::infinity()), {"--net", "resnet8"}, 3,
          {"'layer2.0.conv1.weight' has values that are not finite"});
  refused(changed("bn1.running_mean", std::nanf("")), {"--net", "resnet8"}, 3, {"'bn1.running_mean'", "not finite"});
  refused(changed("bn1.running_var", -1e-3F), {"--net", "resnet8"}, 3, {"'bn1.running_var' has a negative variance"});
  TensorFile scaled = good;  // finite in the file, not in a float
  const std::vector<double> huge{1e300, 0, 0, 0};
  scaled.tensors["fc.bias"] = {FileDType::f64, {4}, std::vector<std::uint8_t>(32)};
  std::memcpy(scaled.tensors["fc.bias"].bytes.data(), huge.data(), 32);
  refused(scaled, {"--net", "resnet8"}, 3, {"'fc.bias' has values that are not finite"});
  put_text(from, "not a safetensors file, though long enough");
  check_refused(retort_program({"import", from, "--net", "resnet8", "--out", to}), 3, {from});
  check_refused(retort_program({"import", folder / "none", "--net", "resnet8", "--out", to}), 3, {folder / "none"});
  write_safetensors(from, good);
  check_refused(retort_program({"import", from, "--net", "resnet8", "--out", folder / "no/such/folder"}), 7,
                {"no/such/folder"});
}

TEST_CASE("export: a run under the names of others, and back bit for bit") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "run");
  o.net = "resnet8";
  o.epochs = 1;
  run(o);
  const std::string out = folder / "out.safetensors", back = folder / "back.safetensors";
  const TensorFile own = read_safetensors(o.out + "/last.safetensors");
  for (const std::string names : {"retort", "repdistiller", "mdistiller"}) {
    CAPTURE(names);
    const Finished done = check_done(
        retort_program({"export", "--checkpoint", o.out, "--to", "safetensors", "--names", names, "--out", out}));
    CHECK(contains(done.out, "wrote " + out + ": resnet8, 56 tensors under the names of " + names +
                                 ", images N,3,32,32 normalised with mean "));
    const TensorFile file = read_safetensors(out);
    CHECK(file.metadata.at("format") == "pt");
    CHECK(file.metadata.count("retort_schema") == 0);
    for (const auto& [name, tensor] : file.tensors) {
      CAPTURE(name);
      CHECK(tensor.bytes == own.at(name).bytes);  // of this network all sets have the same names
      CHECK(tensor.shape == own.at(name).shape);
    }
    // It says itself which network it is and how it sees images.
    check_done(retort_program({"import", out, "--out", back}));
    CHECK(bytes_of(read_safetensors(back)) == bytes_of(file));
    for (const char* key : {"mean", "std", "net", "classes", "input"}) {
      CHECK(read_safetensors(back).metadata.at(key) == own.metadata.at(key));
    }
  }
  check_refused(
      retort_program({"export", "--checkpoint", o.out, "--to", "safetensors", "--names", "torchvision", "--out", out}),
      2, {"--names torchvision", "resnet8 has names of retort, repdistiller, mdistiller"});
}

TEST_CASE("export: options that do not go together, files that do not do") {
  const TemporaryFolder folder;
  const std::string from = folder / "from.safetensors", out = folder / "out";
  write_safetensors(from, foreign("resnet8", "retort"));
  const auto refused = [&](const std::vector<std::string>& more, int code, const std::vector<std::string>& parts) {
    std::vector<std::string> arguments{"export", "--checkpoint", from, "--out", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    check_refused(retort_program(arguments), code, parts);
    CHECK_FALSE(std::filesystem::exists(out));
  };
  refused({"--to", "pth"}, 2, {"--to", "pth"});
  refused({"--to", "safetensors", "--fold"}, 2, {"--fold and --normalise are for --to onnx"});
  refused({"--to", "safetensors"}, 3, {from, "which network"});
  refused({"--to", "safetensors", "--net", "vgg8"}, 3, {from, "does not fit vgg8", "It fits resnet8"});
#ifdef RETORT_HAS_ONNX
  refused({"--to", "onnx", "--names", "repdistiller", "--net", "resnet8"}, 2, {"--names is for --to safetensors"});
  refused({"--to", "onnx", "--normalise", "--net", "resnet8"}, 3, {from, "--normalise needs --mean and --std"});
  TensorFile knows = checkpoint();
  add_normalisation(knows, {{0, 0, 0}, {1, 1, 1}});
  write_safetensors(from, knows);
  refused({"--to", "onnx", "--normalise", "--mean", "0,0,0.5", "--std", "1,1,1"}, 2,
          {from + " says mean 0,0,0, std 1,1,1"});
#else
  refused({"--to", "onnx", "--net", "resnet8"}, 2, {"built without ONNX", "libonnx-dev"});
#endif
}

#ifdef RETORT_HAS_ONNX
TEST_CASE("export: an ONNX file, with what its reader has to know in it") {
  const TemporaryFolder folder;
  const std::string from = folder / "from.safetensors", plain = folder / "plain.onnx", pixels = folder / "pixels.onnx";
  TensorFile file = checkpoint();
  add_normalisation(file, {{0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F}});
  write_safetensors(from, file);
  const Finished a = check_done(retort_program({"export", "--checkpoint", from, "--to", "onnx", "--out", plain}));
  CHECK(contains(
      a.out, "wrote " + plain + ": resnet8, images N,3,32,32 normalised with mean 0.5,0.5,0.5, std 0.25,0.25,0.25\n"));
  const Finished b = check_done(
      retort_program({"export", "--checkpoint", from, "--to", "onnx", "--fold", "--normalise", "--out", pixels}));
  CHECK(contains(
      b.out, "wrote " + pixels + ": resnet8 without batch norm where it folds, images N,3,32,32 of pixels / 255\n"));
  // Without a parser: words that are in one file and not in the other. tests/nets/onnx.cpp reads such files.
  CHECK(contains(contents(plain), "BatchNormalization"));
  CHECK_FALSE(contains(contents(pixels), "BatchNormalization"));
  CHECK(contains(contents(pixels), "images N,3,32,32 of pixels / 255"));
  // The same file gives the same bytes.
  check_done(retort_program({"export", "--checkpoint", from, "--to", "onnx", "--out", folder / "again.onnx"}));
  CHECK(contents(folder / "again.onnx") == contents(plain));
}
#endif
