// A comparison made small, as a recipe file.
#pragma once

#include <string>

#include "distill/reproduce/recipe.h"

namespace retort::test {

/// LeNets on synthetic images, every ready-made arm, two seeds; `more` is appended, as [[pair]] and [arm] tables.
inline std::string tiny_recipe(const std::string& more = "[[pair]]\nteacher = \"lenet5\"\nstudent = \"lenet5-half\"\n",
                               const std::string& top = "") {
  return "summary = \"a comparison made small\"\n"
         "data = \"synthetic:train=60,test=20,classes=4\"\n"
         "seeds = 2\n"
         "share-teachers = true\n"
         "arms = [\"teacher\", \"teacher-regulated\", \"student\", \"kd\", \"significance\", \"regulated\", "
         "\"hybrid\",\n"
         "        \"random-subset\", \"random-mask\", \"random-subset-and-mask\", \"kd-same-seconds\"]\n" +
         top +
         "[options]\n"
         "augment = \"none\"\n"
         "epochs = 2.0\n"
         "batch = 16\n" +
         more;
}

}  // namespace retort::test
