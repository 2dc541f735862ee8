//! Energy by component.

use std::ops::{Add, AddAssign, Index, IndexMut, Mul, Sub};

use crate::sensor::Component;
use crate::units::Joules;

/// One for each component, and one for the idle part of the processor's. The number is even: so no
/// copy of several of these in a row reads across what was written as one, which would make the
/// processor wait.
const LANES: usize = Component::ALL.len() + 1;

/// Energy of each component in joules, and how much of the processor's is the idle power of the
/// machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Energies([f64; LANES]);

impl Energies {
    /// Nothing.
    pub(crate) const ZERO: Self = Self([0.0; LANES]);

    /// The same number for each.
    pub(super) fn all(number: f64) -> Self {
        Self([number; LANES])
    }

    /// The energy that counts: what a wall meter saw where there is one, else the sum of the
    /// components.
    pub(crate) fn total(&self, wall_meter: bool) -> Joules {
        if wall_meter {
            self.get(Component::Machine)
        } else {
            Component::ALL
                .iter()
                .copied()
                .filter(|component| *component != Component::Machine)
                .map(|component| self.get(component))
                .sum()
        }
    }

    /// Energy of one component.
    pub(crate) fn get(&self, component: Component) -> Joules {
        Joules(self[component])
    }

    /// The part of the processor's energy that is known to be the idle power of the machine.
    pub(crate) fn idle(&self) -> Joules {
        let [.., idle] = self.0;
        Joules(idle)
    }

    pub(super) fn idle_mut(&mut self) -> &mut f64 {
        let [.., idle] = &mut self.0;
        idle
    }

    /// What is divided among the threads that have a run: that of processors, with its idle part, and of
    /// memory; and the rest.
    #[inline]
    pub(super) fn by_threads(self) -> (Self, Self) {
        let [cpu, gpu, ram, other, machine, idle] = self.0;
        (Self([cpu, 0.0, ram, 0.0, 0.0, idle]), Self([0.0, gpu, 0.0, other, machine, 0.0]))
    }

    /// All numbers, for a report.
    pub(super) fn lanes(&self) -> [f64; LANES] {
        self.0
    }

    /// The inverse of [`lanes`](Self::lanes). `None` if a number is missing.
    pub(super) fn from_lanes(mut next: impl FnMut() -> Option<f64>) -> Option<Self> {
        let mut energies = Self::ZERO;
        for lane in &mut energies.0 {
            *lane = next()?;
        }
        Some(energies)
    }

    /// Applies `f` to each pair of energies. Lane by lane, since programs that are not optimized use
    /// this too.
    #[inline]
    pub(crate) fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let ([a0, a1, a2, a3, a4, a5], [b0, b1, b2, b3, b4, b5]) = (self.0, other.0);
        Self([f(a0, b0), f(a1, b1), f(a2, b2), f(a3, b3), f(a4, b4), f(a5, b5)])
    }
}

impl Index<Component> for Energies {
    type Output = f64;
    fn index(&self, component: Component) -> &f64 {
        let [cpu, gpu, ram, other, machine, _] = &self.0;
        match component {
            Component::Cpu => cpu,
            Component::Gpu => gpu,
            Component::Ram => ram,
            Component::Other => other,
            Component::Machine => machine,
        }
    }
}

impl IndexMut<Component> for Energies {
    fn index_mut(&mut self, component: Component) -> &mut f64 {
        let [cpu, gpu, ram, other, machine, _] = &mut self.0;
        match component {
            Component::Cpu => cpu,
            Component::Gpu => gpu,
            Component::Ram => ram,
            Component::Other => other,
            Component::Machine => machine,
        }
    }
}

impl Add for Energies {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl AddAssign for Energies {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Energies {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl Mul<f64> for Energies {
    type Output = Self;
    #[inline]
    fn mul(self, factor: f64) -> Self {
        self.zip(Self::ZERO, |a, _| a * factor)
    }
}
