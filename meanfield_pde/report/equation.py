"""What the page says of the equation and of how claims are judged, as HTML."""

TITLE = "The mean-field equation of network training: what holds"

EQUATION = """\
<div class="equations">
<math display="block">
  <mfrac><mrow><mi>∂</mi><mi>μ</mi></mrow><mrow><mi>∂</mi><mi>t</mi></mrow></mfrac>
  <mo>=</mo>
  <mo>∇</mo><mo>·</mo><mo>(</mo><mi>μ</mi><mspace width="0.12em"/><mo>∇</mo><mi>V</mi><mo>)</mo>
  <mo>−</mo>
  <mi>α</mi><mspace width="0.12em"/><mo>(</mo><mi>V</mi><mo>−</mo>
  <mover><mi>V</mi><mo stretchy="false">¯</mo></mover><mo>)</mo><mspace width="0.12em"/><mi>μ</mi>
  <mo>,</mo>
</math>
<math display="block">
  <mi>V</mi><mo>=</mo>
  <mfrac><mrow><mi>δ</mi><mi>E</mi></mrow><mrow><mi>δ</mi><mi>μ</mi></mrow></mfrac>
  <mo>,</mo><mspace width="1em"/>
  <mover><mi>V</mi><mo stretchy="false">¯</mo></mover><mo>=</mo>
  <mo>∫</mo><mi>V</mi><mspace width="0.12em"/><mi>d</mi><mi>μ</mi><mo>.</mo>
</math>
</div>
"""

NETWORK = """\
<math>
  <mi>f</mi><mo>(</mo><mi>x</mi><mo>)</mo><mo>=</mo><mo>∫</mo>
  <mi>φ</mi><mo>(</mo><mi>x</mi><mo>,</mo><mi>θ</mi><mo>)</mo><mspace width="0.17em"/>
  <mi>μ</mi><mo>(</mo><mi>d</mi><mi>θ</mi><mo>)</mo>
</math>"""

INTRODUCTION = f"""\
<p>A network with one hidden layer of very many neurons is a distribution <i>μ</i> of their
parameters <i>θ</i>, and its output is {NETWORK}. Gradient descent moves the neurons down the slope
of <i>V</i>, the first variation of the loss <i>E</i>; birth and death removes neurons where
<i>V</i> is above its mean and copies them where it is below, at the rate <i>α</i> (Rotskoff,
Jelassi, Bruna and Vanden-Eijnden, ICML 2019). Training is then a partial differential equation:</p>
{EQUATION}
"""

READING = """\
<p>Four dynamics are compared: (A) gradient descent alone; (B) with birth and death by
<i>V</i> itself, so that the mass is free; (C) by <i>V</i> less its mean, as above; (D) by <i>V</i>,
with new neurons from elsewhere where its mean is positive. Runs A and B are the experiments of the
paper, from full support and from a bad initialisation.</p>
<p>Each claim below was measured with a solver that gives its numbers error bars. Every
number is written as value ± bar, where the bar covers the solver, the fit and its window. A claim
holds if each of its numbers stands as expected: equal to what is expected within its bar, or less
or more than it by more than the bar. Numbers of which the claim says nothing are only told.</p>
"""
